"""The fifteenth step: tables for imported packages, empty in older archives."""

import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.archive.database import writer
from support.old_archive import apply_steps_before, unpack

NAMES = "'accounts', 'coverage', 'events', 'media', 'metrics', 'posts', 'renditions', 'runs'"
TABLES = ("packages", "package_parts", "package_posts")


def test_an_older_archive_gets_empty_tables_and_keeps_its_checksums(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    query = f"SELECT * FROM table_checksums WHERE name IN ({NAMES}) ORDER BY name"
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        apply_steps_before(connection, "m015_packages")
        before = connection.execute(query).fetchall()
    with writer(directory) as connection:
        assert set(before) <= set(connection.execute(query).fetchall())
        for table in TABLES:
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
            checksum = "SELECT rows, sum FROM table_checksums WHERE name = ?"
            assert connection.execute(checksum, (table,)).fetchone() == (0, 0)
