"""An account is known by its actor, and described as it describes itself."""

from typing import Any

from archiver_mastodon.handles import Handle
from archiver_mastodon.profiles import identity_of

HANDLE = Handle("press", "social.example")
ACTOR = "https://social.example/users/press"


def test_an_account_says_who_it_is() -> None:
    profile = {
        "display_name": "Press office",
        "note": "<p>News &amp; more</p>",
        "url": "https://social.example/@press",
        "avatar": "https://files.example/a.png",
        "header": "https://files.example/h.png",
        "fields": [
            {"name": "Site", "value": '<a href="https://www.example.org/">example.org</a>'},
            {"name": "", "value": "x"},
        ],
    }
    identity = identity_of(profile, ACTOR, HANDLE)
    assert (identity.platform, identity.platform_id) == ("mastodon", ACTOR)
    assert (identity.handle, identity.title) == ("press@social.example", "Press office")
    assert identity.url == "https://social.example/@press"
    assert identity.description == "News & more\n\nSite: https://www.example.org/"
    assert identity.avatar is not None
    assert identity.banner is not None
    assert identity.avatar.url == "https://files.example/a.png"


def test_the_placeholder_of_a_missing_picture_is_no_picture() -> None:
    profile = {
        "avatar": "https://social.example/avatars/original/missing.png",
        "header": "https://social.example/headers/original/missing.png",
    }
    identity = identity_of(profile, ACTOR, HANDLE)
    assert (identity.avatar, identity.banner, identity.description) == (None, None, None)


def test_where_an_account_has_moved() -> None:
    moved: list[Any] = [{"acct": "press@new.example"}, None, "nonsense"]
    found = [identity_of({"moved": other}, ACTOR, HANDLE).moved_to for other in moved]
    assert found == ["press@new.example", None, None]
