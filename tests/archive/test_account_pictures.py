"""Avatars, banners and custom emoji wait, are fetched, fail and come again: a row for each."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.archive import account_pictures
from archiver.archive.account_pictures import (
    StoredPicture,
    WaitingPicture,
    queue_emoji,
    queue_pictures,
    save_failure,
    save_picture,
    stored_picture,
    waiting_pictures,
)
from archiver.models import Identity, Rendition
from archiver.reasons import Reason
from support.saver import Saver, saving

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
AT = "2026-03-02T09:00:00.000Z"
FILE = StoredPicture("a" * 64, f"media/aa/{'a' * 64}.png", 9, "image/png", 1, 1)


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as found:
        yield found


def show(saver: Saver, avatar: str | None, banner: str | None = None) -> list[WaitingPicture]:
    pictures = [url and Rendition("original", url) for url in (avatar, banner)]
    identity = Identity("threads", "1", avatar=pictures[0] or None, banner=pictures[1] or None)
    queue_pictures(saver.connection, saver.account_id, "own", identity, AT)
    return waiting_pictures(saver.connection, [saver.account_id], AT)


def test_new_pictures_wait_and_known_ones_get_the_newest_address(saver: Saver) -> None:
    waiting = show(saver, "https://a.example/1.png", "https://a.example/b.png")
    assert [(each.kind, each.url) for each in waiting] == [
        ("avatar", "https://a.example/1.png"), ("banner", "https://a.example/b.png"),
    ]  # fmt: skip
    waiting = show(saver, "https://b.example/1.png?e=1790000000&sig=0123456789abcdef")
    assert waiting[0].url.startswith("https://b.example/")
    assert len(waiting) == 2, "a source without a banner removes nothing"


def test_a_stored_picture_waits_no_more_and_is_found_by_its_hash(saver: Saver) -> None:
    (waiting,) = show(saver, "https://a.example/1.png")
    assert stored_picture(saver.connection, FILE.sha256) is None
    save_picture(saver.connection, waiting, FILE, AT)
    assert show(saver, "https://b.example/1.png") == []
    assert stored_picture(saver.connection, FILE.sha256) == FILE
    assert saver.rows("SELECT files, size FROM storage_totals WHERE account_id = 0") == [(1, 9)]


def test_a_picture_that_is_not_found_on_three_days_is_gone(saver: Saver) -> None:
    reason = Reason("not_found", "not found (404)")
    for state in ("failed", "failed", "gone"):
        saver.connection.execute(
            "UPDATE account_pictures SET next_try_at = NULL, state = 'pending'"
        )
        (waiting,) = show(saver, "https://a.example/1.png")
        save_failure(saver.connection, waiting, "failed", reason, NOW)
        assert saver.rows("SELECT state FROM account_pictures") == [(state,)]
    assert show(saver, "https://a.example/1.png") == []


def test_no_more_emoji_of_an_account_wait_than_allowed(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_pictures, "MOST_EMOJI", 10)
    for number in range(3):
        emoji = {f"e{index}": f"https://a.example/{number}-{index}.png" for index in range(4)}
        queue_emoji(saver.connection, saver.account_id, "own", emoji, AT)
    assert len(waiting_pictures(saver.connection, [saver.account_id], AT)) == 10
