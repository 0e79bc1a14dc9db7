"""Attachments of statuses, with their file and their still."""

from typing import Any

from archiver_mastodon.media import attachments_of

FILE, STILL = "https://a.example/1.mp4", "https://a.example/small.jpg"
ITEM: dict[str, Any] = {
    "id": "7", "type": "gifv", "url": FILE, "preview_url": STILL, "description": "A bowl",
    "meta": {"original": {"width": 640, "height": 480, "duration": 1.5, "bitrate": 9000},
             "small": {"width": 40, "height": 30}},
}  # fmt: skip


def attached(**changes: Any) -> Any:
    (found,) = attachments_of({"media_attachments": [ITEM | changes]}, ())
    return found


def test_all_that_is_known_of_a_file_is_read() -> None:
    found = attached()
    assert (found.kind, found.platform_id, found.alt_text) == ("gif", "7", "A bowl")
    assert (found.width, found.height, found.duration_ms) == (640, 480, 1500)
    assert [(each.role, each.url, each.width) for each in found.renditions] == [
        ("original", FILE, 640), ("thumbnail", STILL, 40),
    ]  # fmt: skip


def test_a_file_without_an_address_here_comes_from_where_it_was_first() -> None:
    assert attached(url=None, remote_url=FILE).renditions[0].url == FILE


def test_what_has_no_address_or_an_odd_one_says_so() -> None:
    assert attached(url=None).renditions[0].absent == "not_offered"
    odd = attached(url="javascript:alert(1)").renditions[0]
    assert (odd.absent, odd.url) == ("address_not_understood", "javascript:alert(1)")


def test_a_still_that_is_the_file_itself_is_left_out_and_unknown_kinds_are_other() -> None:
    found = attached(preview_url=FILE, type="hologram")
    assert (found.kind, len(found.renditions)) == ("other", 1)
    assert attachments_of({"media_attachments": [5, None]}, ()) == ()


def test_only_the_first_link_of_a_text_without_media_is_attached() -> None:
    links = ("https://a.example/1", "https://b.example/2")
    card = {"card": {"image": "https://files.example/card.png"}}
    (found,) = attachments_of(card, links)
    assert (found.kind, found.platform_id) == ("link", links[0])
    assert [(r.role, r.url) for r in found.renditions] == [
        ("preview", "https://files.example/card.png")
    ]
    assert attachments_of(card, ()) == ()
    assert [a.kind for a in attachments_of({**card, "media_attachments": [ITEM]}, links)] != [
        "link"
    ]
