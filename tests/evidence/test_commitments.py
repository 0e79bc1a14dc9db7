"""The newest commitment to a row tells how it is: at once, and where slices read a few of them."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.archive.database import writer
from archiver.archive.rows import delete, insert, update
from archiver.archive.transactions import transaction
from archiver.evidence import commitments
from archiver.evidence.commitments import LedgerScope, check_commitments
from archiver.evidence.slices import Slice
from support.forging import forge, settle, without_triggers

pytestmark = pytest.mark.slow

TABLE = "about"
SLICINGS = pytest.mark.parametrize("parts", [1, 2, 7])


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An archive in which rows were written, changed, removed and written again."""
    with writer(tmp_path / "archive") as connection:
        for number in range(20):
            insert(connection, TABLE, name=f"colour {number}", value="red")
        for value in ("green", "blue"):
            update(connection, TABLE, "name IN ('colour 3', 'colour 4')", (), value=value)
        delete(connection, TABLE, "name IN ('colour 5', 'colour 6')", ())
        with transaction(connection):
            insert(connection, TABLE, name="colour 6", value="white")
            insert(connection, TABLE, name="colour 99", value="white")
        update(connection, TABLE, "name = 'colour 6'", (), value="black")
        delete(connection, TABLE, "name = 'colour 7'", ())
        insert(connection, TABLE, name="colour 7", value="white")
        without_triggers(connection)
        yield connection


def told(connection: sqlite3.Connection, parts: int) -> dict[str, str]:
    """What is found in all slices, by its subject."""
    found = {}
    for part in range(1, parts + 1):
        scope = LedgerScope(False, {})
        for finding in check_commitments(connection, [TABLE], scope, Slice(part, parts)):
            found[finding.subject] = finding.detail
    return found


@SLICINGS
def test_rows_that_were_changed_removed_and_added_again_are_intact(
    connection: sqlite3.Connection, parts: int
) -> None:
    assert told(connection, parts) == {}


@SLICINGS
def test_a_row_put_back_to_what_it_was_is_named(connection: sqlite3.Connection, parts: int) -> None:
    name = forge(connection, TABLE, "name = 'colour 3'", value="green")
    assert told(connection, parts).keys() == {name}


@SLICINGS
def test_a_removed_row_that_is_there_again_is_named(
    connection: sqlite3.Connection, parts: int
) -> None:
    forge(connection, TABLE, "name = 'colour 8'", name="colour 5")
    found = told(connection, parts)
    assert found["about colour 5"].startswith("is there, though entry")
    assert found["about colour 8"].startswith("is missing, though entry")


@SLICINGS
def test_a_row_in_the_place_of_another_is_named(connection: sqlite3.Connection, parts: int) -> None:
    forge(connection, TABLE, "name = 'colour 8'", name="colour 9999")
    assert told(connection, parts).keys() == {"about colour 8", "about colour 9999"}


@SLICINGS
def test_a_row_that_nobody_wrote_and_the_program_changed_since_is_named(
    connection: sqlite3.Connection, parts: int
) -> None:
    connection.execute(
        f"INSERT INTO {TABLE} SELECT 'colour 50', value, row_sha256 FROM {TABLE} LIMIT 1"
    )
    forge(connection, TABLE, "name = 'colour 50'", value="red")
    settle(connection, TABLE)
    update(connection, TABLE, "name = 'colour 50'", (), value="green")
    assert "had been altered" in told(connection, parts)["about colour 50"]


def test_a_slice_reads_some_rows_at_a_time(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commitments, "_ROWS_AT_ONCE", 2)
    name = forge(connection, TABLE, "name = 'colour 4'", value="green")
    assert told(connection, 2).keys() == {name}
