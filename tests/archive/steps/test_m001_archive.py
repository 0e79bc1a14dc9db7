"""The first step makes a whole archive, whose rows and checksums agree."""

import sqlite3
from contextlib import closing

from archiver.archive.steps import m001_archive


def test_a_new_archive_has_its_tables_and_an_id_of_its_own() -> None:
    ids = set()
    for _ in range(2):
        with closing(sqlite3.connect(":memory:")) as connection:
            m001_archive.apply(connection)
            query = "SELECT name FROM sqlite_master WHERE type = 'table'"
            assert {"accounts", "posts", "renditions", "media", "events"} <= {
                name for (name,) in connection.execute(query)
            }
            query = "SELECT value FROM about WHERE name = 'archive_id'"
            ids.add(connection.execute(query).fetchone()[0])
    assert len(ids) == 2
