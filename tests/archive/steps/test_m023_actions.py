"""The twenty-third step: a table for reviews, exports and changed settings, empty at first."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.actions import add_action
from archiver.archive.database import writer
from support.old_archive import apply_steps_before, unpack

AT = "2026-03-03T09:00:00.000Z"


def test_an_older_archive_gets_an_empty_table_of_which_nothing_can_be_taken_back(
    tmp_path: Path,
) -> None:
    directory = unpack(tmp_path / "archive")
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        apply_steps_before(connection, "m023_actions")
    with writer(directory) as connection:
        assert connection.execute("SELECT count(*) FROM actions").fetchone() == (0,)
        add_action(connection, "review", AT, post_id=1)
        for change in ("DELETE FROM actions", "UPDATE actions SET note = 'other'"):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(change)
