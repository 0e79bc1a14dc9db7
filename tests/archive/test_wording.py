"""Two sources that word a post alike are compared by what they have in common."""

import pytest

from archiver.archive.wording import hash_of_wording, media_kinds, wording_of, wording_sha256
from archiver.models import Attachment, Post


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Café &amp; bar", "CAFE & BAR"),
        ("See https://shop.example/a?b=1 now", "See t.co/Ab12 now"),
        ("Two\n\nlines", "two lines"),
        ("www.shop.example sells", "sells"),
        ("WWW.Shop.example sells", "sells"),
    ],
)
def test_links_case_accents_entities_and_white_space_make_no_difference(
    one: str, other: str
) -> None:
    assert wording_of(None, one) == wording_of(None, other)


def test_another_text_and_a_title_make_a_difference() -> None:
    assert wording_of(None, "A blue bowl") != wording_of(None, "A red bowl")
    assert wording_of("Bowls", "A blue bowl") == "bowls a blue bowl"


def test_a_gif_is_a_video_and_a_link_has_no_file() -> None:
    assert media_kinds(["gif", "link", "image", "other"]) == ["video", "image"]


def test_the_hash_of_a_post_is_that_of_its_wording_and_its_kinds_of_media() -> None:
    post = Post("1", text="Bowls", attachments=(Attachment("image"), Attachment("link")))
    assert wording_sha256(post) == hash_of_wording("bowls", ["image"])
    assert wording_sha256(post) != hash_of_wording("bowls", [])
