"""The thirty-first step: posts of before have no second hash yet, and are intact as before."""

import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.archive.database import writer
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.old_archive import apply_steps_before, unpack

AT = "2026-03-03T09:00:00.000Z"


def test_posts_of_before_are_intact_and_are_read_once_more(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    query = "SELECT record_id, record_sha256, row_sha256 FROM post_sources ORDER BY post_id, source"
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        apply_steps_before(connection, "m031_unsigned_records")
        before = connection.execute(query).fetchall()
    with writer(directory) as connection:
        assert connection.execute(query).fetchall() == before != []
        second = connection.execute("SELECT DISTINCT unsigned_sha256 FROM post_sources").fetchall()
    assert second == [(None,)]
    assert verify(directory, Scope(), AT).damage == []
