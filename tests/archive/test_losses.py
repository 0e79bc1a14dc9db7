"""Files that are lost: queued again, and recovered by the same bytes only."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.archive import queue
from archiver.archive.database import transaction
from archiver.archive.losses import mark_found_intact, mark_lost, mark_recovered
from archiver.archive.queue import QueuedFile, Stored
from support.saver import POST, Saver, saving

NOW = "2026-04-01T00:00:00.000Z"
AT = datetime(2026, 4, 1, tzinfo=UTC)
FILE, OTHER = "ab" * 32, "cd" * 32
STATES = "SELECT state, reason_code, media_sha256 FROM renditions"
EVENTS = "SELECT what FROM events WHERE what NOT IN ('seen', 'edited') ORDER BY id"


def queued(saver: Saver) -> QueuedFile:
    (file,) = queue.due_files(saver.connection, [saver.account_id], NOW)
    return file


def store(saver: Saver, name: str) -> None:
    path = f"media/{name[:2]}/{name}.jpg"
    stored = Stored(queued(saver), name, path, 10, "image/jpeg", 4, 3, None)
    queue.save(saver.connection, [stored], 1, AT)


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    """An archive of one post with one stored file."""
    with saving(tmp_path) as saver:
        saver.save(POST)
        store(saver, FILE)
        yield saver


def lose(saver: Saver) -> int:
    with transaction(saver.connection):
        return mark_lost(saver.connection, FILE, NOW)


def test_a_lost_file_keeps_its_hash_and_is_queued(saver: Saver) -> None:
    assert lose(saver) == 1
    assert saver.rows(STATES) == [("pending", "lost", FILE)]
    assert saver.rows("SELECT lost_at FROM media") == [(NOW,)]
    assert queued(saver).lost == FILE


def test_a_loss_is_one_event_however_often_it_is_found(saver: Saver) -> None:
    lose(saver)
    lose(saver)
    assert saver.rows(EVENTS) == [("lost",)]


def test_the_same_bytes_recover_it(saver: Saver) -> None:
    lose(saver)
    store(saver, FILE)
    assert saver.rows(STATES) == [("stored", None, FILE)]
    assert saver.rows("SELECT lost_at FROM media") == [(None,)]
    assert saver.rows(EVENTS) == [("lost",), ("recovered",)]


def test_other_bytes_replace_it_and_the_loss_stays_known(saver: Saver) -> None:
    lose(saver)
    store(saver, OTHER)
    assert saver.rows(STATES) == [("stored", None, OTHER)]
    assert saver.rows("SELECT sha256 FROM media WHERE lost_at NOT NULL") == [(FILE,)]
    assert saver.rows(EVENTS) == [("lost",), ("replaced",)]


def test_a_file_that_is_found_again_is_recovered_and_others_are_not_touched(saver: Saver) -> None:
    lose(saver)
    with transaction(saver.connection):
        assert mark_found_intact(saver.connection, [FILE, OTHER], NOW) == 1
        assert mark_found_intact(saver.connection, [FILE, OTHER], NOW) == 0
    assert saver.rows(STATES) == [("stored", None, FILE)]


def test_a_playlist_that_is_recovered_is_still_no_video(saver: Saver) -> None:
    saver.connection.execute("UPDATE media SET content_type = 'application/vnd.apple.mpegurl'")
    lose(saver)
    with transaction(saver.connection):
        mark_recovered(saver.connection, FILE, None, NOW)
    assert saver.rows(STATES) == [("not_offered", "manifest_only", FILE)]
