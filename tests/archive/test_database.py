"""The settings of the one connection that writes, and what it leaves behind."""

import sqlite3
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, reader, writer


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1),
        ("fullfsync", 1), ("checkpoint_fullfsync", 1), ("cache_size", -16384),
        ("journal_size_limit", 64 << 20),
    ],
)  # fmt: skip
def test_the_writer_has_its_settings(tmp_path: Path, pragma: str, value: object) -> None:
    with writer(tmp_path) as connection:
        assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)


def test_a_reader_does_not_keep_the_log_long(tmp_path: Path) -> None:
    log = tmp_path / f"{DATABASE}-wal"
    with writer(tmp_path) as connection:
        pass
    with reader(tmp_path) as other:
        other.execute("SELECT count(*) FROM posts").fetchone()
        with writer(tmp_path) as connection:
            connection.execute("CREATE TABLE large AS SELECT randomblob(1000000)")
            assert log.stat().st_size > 1_000_000
        assert log.stat().st_size == 0


def test_a_reader_in_the_middle_of_it_is_not_waited_for(tmp_path: Path) -> None:
    with writer(tmp_path):
        pass
    with reader(tmp_path) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM posts").fetchone()
        with writer(tmp_path) as connection:
            connection.execute("CREATE TABLE large AS SELECT randomblob(1000000)")
        with pytest.raises(sqlite3.OperationalError):
            other.execute("SELECT * FROM large")  # as of then
        other.rollback()
