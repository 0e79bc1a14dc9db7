"""Every cell of every row is checked: nothing that is altered goes unseen."""

import random
import sqlite3
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE
from archiver.archive.facts import ROW_HASHED
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.bad_archives import raw, subject
from support.damage import flip_every_row

NOW = "2026-11-23T00:00:00.000Z"
SEEDS = range(6)


def test_an_intact_archive_has_no_findings(archive: Path) -> None:
    result = verify(archive, Scope(), NOW)
    assert result.findings == []
    assert result.rows > 100
    assert result.files > 5


@pytest.mark.parametrize("table", ROW_HASHED)
def test_the_intact_archive_has_rows_in_every_table(good_archive: Path, table: str) -> None:
    connection = sqlite3.connect(good_archive / DATABASE)
    assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
    connection.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flipped_bit_in_any_cell_of_any_row_is_found(archive: Path, seed: int) -> None:
    with raw(archive) as connection:
        done = flip_every_row(connection, random.Random(seed), keys=True)
    result = verify(archive, Scope(), NOW)
    found = {str(row) for row in result.bad_rows}
    expected = {subject(table, key) for table, keys in done.items() for key in keys}
    assert len(expected) > 200
    assert expected - found == set()
