"""Legal holds: what they are on, also later, and that they end only by being released."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.database import writer
from archiver.archive.holds import (
    held_condition,
    holds,
    lasting_holds,
    matters_of_account,
    matters_of_posts,
    place_hold,
    place_hold_on_all,
    release_holds,
)
from archiver.archive.post_scope import PostScope
from archiver.errors import UsageError
from support.small_archive import SmallArchive

NOW = "2026-03-10T00:00:00.000Z"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    """Posts 1 and 2 of account 1, and post 3 of account 2."""
    with writer(tmp_path / "archive") as connection:
        small = SmallArchive(connection)
        mine, other = small.account("bluesky"), small.account("mastodon")
        small.post(mine, "2026-01-05T00:00:00.000Z", "The bridge is closed")
        small.post(mine, "2026-02-05T00:00:00.000Z", "Open again")
        small.post(other, "2026-02-06T00:00:00.000Z", "A bridge elsewhere")
        yield small


def place(connection: sqlite3.Connection, matter: str = "m", **scope: Any) -> None:
    place_hold(connection, matter, "a claim", PostScope(**scope), "clerk", NOW)


@pytest.mark.parametrize(
    ("scope", "posts"),
    [
        ({"accounts": (1,)}, {1, 2}),
        ({"since": "2026-02-01"}, {2, 3}),
        ({"until": "2026-02-01"}, {1}),
        ({"words": "BRIDGE"}, {1, 3}),
        ({"posts": (2,)}, {2}),
        ({"accounts": (1,), "words": "bridge"}, {1}),
    ],
)
def test_a_hold_is_on_what_matches_all_of_its_scope(
    archive: SmallArchive, scope: dict[str, Any], posts: set[int]
) -> None:
    place(archive.connection, **scope)
    assert matters_of_posts(archive.connection, [1, 2, 3]) == dict.fromkeys(posts, ("m",))


def test_posts_that_are_saved_later_are_held_too(archive: SmallArchive) -> None:
    place(archive.connection, words="bridge")
    later = archive.post(1, text="Another bridge")
    assert matters_of_posts(archive.connection, [later]) == {later: ("m",)}


def test_a_post_is_free_once_every_hold_on_it_is_released(archive: SmallArchive) -> None:
    connection = archive.connection
    place(connection, "first", posts=(1,))
    place(connection, "second", words="bridge")
    assert matters_of_posts(connection, [1]) == {1: ("first", "second")}
    release_holds(connection, lasting_holds(connection, "first"), "settled", "judge", NOW)
    assert matters_of_posts(connection, [1]) == {1: ("second",)}
    release_holds(connection, lasting_holds(connection, "second"), "settled", "judge", NOW)
    assert matters_of_posts(connection, [1, 2, 3]) == {}
    assert [(hold.matter, hold.released_by, hold.release_reason) for hold in holds(connection)] == [
        ("first", "judge", "settled"), ("second", "judge", "settled"),
    ]  # fmt: skip


def test_a_hold_on_all_is_on_accounts_without_posts_too(archive: SmallArchive) -> None:
    place_hold_on_all(archive.connection, "all", "an inquiry", "clerk", NOW)
    assert matters_of_account(archive.connection, archive.account("tiktok")) == ("all",)
    assert len(matters_of_posts(archive.connection, [1, 2, 3])) == 3


def test_an_account_shows_the_holds_that_touch_its_posts(archive: SmallArchive) -> None:
    place(archive.connection, "one", accounts=(1,))
    place(archive.connection, "two", words="elsewhere")
    assert matters_of_account(archive.connection, 1) == ("one",)
    assert matters_of_account(archive.connection, 2) == ("two",)


@pytest.mark.parametrize(("matter", "reason"), [("", "why"), ("m", " ")])
def test_a_hold_needs_a_matter_and_a_reason(
    archive: SmallArchive, matter: str, reason: str
) -> None:
    with pytest.raises(UsageError, match="A hold needs a"):
        place_hold(archive.connection, matter, reason, PostScope(posts=(1,)), "clerk", NOW)


def test_a_hold_that_restricts_nothing_is_not_placed_by_accident(archive: SmallArchive) -> None:
    with pytest.raises(UsageError, match="which posts"):
        place(archive.connection)


def test_what_is_held_for_an_unknown_matter_is_an_error(archive: SmallArchive) -> None:
    place(archive.connection, "2026/17", posts=(1,))
    with pytest.raises(UsageError, match="Nothing is held for 2026/18") as error:
        held_condition(archive.connection, "2026/18")
    assert "2026/17" in str(error.value.hint)


def test_a_hold_is_never_deleted(archive: SmallArchive) -> None:
    place(archive.connection, posts=(1,))
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        archive.connection.execute("DELETE FROM holds")
