"""The nineteenth step: older archives keep their search index, without the trigger."""

import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.archive.database import writer
from support.old_archive import apply_steps_before, unpack

TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'posts_fts%'"


def test_an_older_archive_keeps_its_search_index_without_the_trigger(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        apply_steps_before(connection, "m019_search_by_page")
        assert ("posts_fts_insert",) in connection.execute(TRIGGERS).fetchall()
    with writer(directory) as connection:
        found = connection.execute(TRIGGERS).fetchall()
        assert sorted(found) == [("posts_fts_delete",), ("posts_fts_update",)]
        connection.execute("INSERT INTO posts_fts (posts_fts, rank) VALUES ('integrity-check', 1)")
