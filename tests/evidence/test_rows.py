"""Every cell of every row is watched over: nothing that is altered goes unseen."""

import sqlite3
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE
from archiver.archive.schema import ROW_HASHED
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify

NOW = "2026-11-23T00:00:00.000Z"


def test_a_sound_archive_is_sound(archive: Path) -> None:
    result = verify(archive, Scope(), NOW)
    assert result.findings == []
    assert result.rows > 100
    assert result.files > 5


@pytest.mark.parametrize("table", ROW_HASHED)
def test_the_sound_archive_has_rows_in_every_table(good_archive: Path, table: str) -> None:
    connection = sqlite3.connect(good_archive / DATABASE)
    assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
    connection.close()
