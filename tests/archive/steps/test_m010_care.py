"""The tenth step: a table for what was verified and copied, empty in older archives."""

import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.archive.database import writer
from support.old_archive import apply_steps_before, unpack

NAMES = "'accounts', 'coverage', 'events', 'media', 'metrics', 'posts', 'renditions', 'runs'"


def test_an_older_archive_gets_an_empty_log_and_keeps_its_checksums(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    query = f"SELECT * FROM table_checksums WHERE name IN ({NAMES}) ORDER BY name"
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        apply_steps_before(connection, "m010_care")
        before = connection.execute(query).fetchall()
    with writer(directory) as connection:
        assert connection.execute(query).fetchall() == before
        assert connection.execute("SELECT count(*) FROM care").fetchone() == (0,)
        care = "SELECT rows, sum FROM table_checksums WHERE name = 'care'"
        assert connection.execute(care).fetchone() == (0, 0)
