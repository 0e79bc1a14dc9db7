"""The ninth step: another comment of `events`, and no other row."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.database import writer
from support.old_archive import apply_steps_before, unpack

CONTENT = (
    "SELECT * FROM events ORDER BY id",
    "SELECT * FROM table_checksums WHERE name = 'events'",
)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    directory = unpack(tmp_path / "archive")
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        apply_steps_before(connection, "m009_visibility")
    return directory


def test_no_event_changes_and_the_new_one_is_named(before: Path) -> None:
    with closing(sqlite3.connect(before / "archive.db")) as connection:
        rows = [connection.execute(query).fetchall() for query in CONTENT]
    assert rows[0], "the old archive has events"
    with writer(before) as connection:
        assert [connection.execute(query).fetchall() for query in CONTENT] == rows
        (sql,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'events'"
        ).fetchone()
        assert "visibility_changed" in sql


def test_events_still_cannot_be_changed_or_deleted(before: Path) -> None:
    with writer(before) as connection:
        for statement in ("UPDATE events SET what = 'seen'", "DELETE FROM events"):
            with pytest.raises(sqlite3.IntegrityError, match="events are never"):
                connection.execute(statement)
