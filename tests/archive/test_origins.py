"""How files came about that were made here: written with them, moved and gone with their rows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.archive import queue
from archiver.archive.database import transaction
from archiver.archive.origins import MediaOrigin, delete_origins, move_origins
from archiver.archive.queue import Stored
from support.saver import PHOTO, POST, Saver, saving

FILE = "ab" * 32
SEGMENT = {"url": "https://a.example/1.ts", "size": 188, "sha256": "cd" * 32}
ORIGIN = MediaOrigin("joined", "playlist", segments=[SEGMENT])


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    """An archive of one post with one file that was made here."""
    with saving(tmp_path) as saver:
        saver.save(POST)
        (file,) = queue.due_files(saver.connection, [saver.account_id], "2026-04-01T00:00:00.000Z")
        path = f"media/ab/{FILE}.mp4"
        stored = Stored(file, FILE, path, 10, "video/mp4", 4, 3, None, origin=ORIGIN)
        queue.save(saver.connection, [stored], 1, datetime(2026, 4, 1, tzinfo=UTC))
        yield saver


def test_what_a_file_was_made_of_is_one_row(saver: Saver) -> None:
    ((how, resolver, segments, page),) = saver.rows(
        "SELECT how, resolver, segments, page_url FROM media_origins"
    )
    assert (how, resolver, page) == ("joined", "playlist", None)
    assert json.loads(segments) == [SEGMENT]


def test_origins_follow_a_file_to_another_rendition_and_go_with_the_last(saver: Saver) -> None:
    second = POST.__class__("p2", attachments=(PHOTO,), content={"text": None})
    saver.save(second)
    with transaction(saver.connection):
        move_origins(saver.connection, 1, 2)
    assert saver.rows("SELECT rendition_id FROM media_origins") == [(2,)]
    with transaction(saver.connection):
        delete_origins(saver.connection, "id = ?", (2,))
    assert saver.rows("SELECT count(*) FROM media_origins") == [(0,)]
