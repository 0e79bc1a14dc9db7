"""The media of Instagram and Threads: one file, or the children of a carousel."""

import pytest

from archiver_ayrshare.meta import children_of, is_carousel_not_understood, read_media

PHOTO, FILM = "https://a.example/1.jpg", "https://a.example/1.mp4"


def test_children_are_found_under_each_known_key() -> None:
    for record in ({"mediaUrls": [PHOTO]}, {"children": {"data": [PHOTO]}}, {"carousel": [PHOTO]}):
        assert children_of(record) == [PHOTO]
    assert children_of({"mediaUrl": PHOTO}) == []


def test_a_carousel_in_an_unknown_form_is_not_taken_for_absent() -> None:
    assert is_carousel_not_understood({"mediaUrls": 5})
    assert not is_carousel_not_understood({"mediaUrls": None, "children": ""})


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (PHOTO, "image"), (FILM, "video"), ({"mediaUrl": PHOTO, "mediaType": "VIDEO"}, "video"),
        ({"mediaUrl": "https://a.example/x", "thumbnailUrl": PHOTO}, "video"),
        ({"mediaUrl": "https://a.example/x"}, "image"), ({"thumbnailUrl": PHOTO}, "video"),
    ],
)  # fmt: skip
def test_the_kind_is_that_of_the_word_else_of_the_file(item: object, kind: str) -> None:
    assert read_media(item, "copyright").kind == kind


def test_a_missing_file_is_absent_for_the_reason_of_its_platform_and_its_still_is_kept() -> None:
    found = read_media({"thumbnailUrl": PHOTO, "duration": 2.5, "id": 17}, "copyright")
    assert [(each.role, each.url, each.absent) for each in found.renditions] == [
        ("original", None, "copyright"), ("thumbnail", PHOTO, None),
    ]  # fmt: skip
    assert (found.platform_id, found.duration_ms) == ("17", 2500)
