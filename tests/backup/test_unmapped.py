"""A platform that changes its format is said aloud: nothing is lost in silence."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.readers import archive_status
from archiver_ayrshare.demo.networks.base import JsonObject
from archiver_ayrshare.demo.posts import WorldPost
from support.nights import nights, rewrite

CASES: dict[str, tuple[str, JsonObject, str]] = {
    "dates": ("threads", {"created": "a while ago", "timestamp": None}, "created"),
    "words": ("instagram", {"mediaProductType": "HOLOGRAM"}, "mediaProductType"),
    "references": (
        "twitter", {"referencedTweets": [{"type": "sung", "id": "1"}]}, "referencedTweets[].type"
    ),
    "fields": ("threads", {"brandNew": {"deep": [1]}}, "brandNew.deep[]"),
}  # fmt: skip


def writing(change: JsonObject) -> Callable[[WorldPost, JsonObject], None]:
    return lambda _post, record: record.update(change)


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_read_is_counted_kept_and_said_once(tmp_path: Path, case: str) -> None:
    platform, change, path = CASES[case]
    with nights(tmp_path, platform) as world:
        account = world.account(platform)
        account.populate(3)
        assert world.backup(media=False).accounts[0].notes == []
        rewrite(account, writing(change))
        world.next_night()

        first = world.backup(media=False)

        assert first.exit_code == 0
        (note,) = first.accounts[0].notes
        assert f"does not read: {path}." in note
        assert first.as_json()["accounts"][0]["unmapped_paths"] == [path]
        latest = "SELECT unmapped, unmapped_paths FROM run_accounts ORDER BY run_id DESC LIMIT 1"
        assert world.query(latest) == [(3, f'["{path}"]')]

        world.next_night()
        again = world.backup(media=False)

        assert again.accounts[0].notes == [], "it is no news any more"
        assert world.query(latest) == [(3, f'["{path}"]')]
        with closing(sqlite3.connect(world.directory / "archive.db")) as connection:
            assert archive_status(connection).accounts[0].unmapped == (path,)


def test_many_new_fields_are_one_short_note(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        account = world.account("threads")
        account.publish("Hello")
        rewrite(account, writing({f"new{number}" + "x" * 5000: 1 for number in range(300)}))

        (note,) = world.backup(media=False).accounts[0].notes

        assert "and 95 more" in note
        assert len(note) < 1500
