"""When accounts were last scanned, from the rows of runs as a backup writes them."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.archive import runs
from archiver.archive.database import writer
from archiver.archive.scan_times import ScanTimes, scan_times

ACCOUNT = ("acme", "test")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with writer(tmp_path) as connection:
        yield connection


def scan(connection: sqlite3.Connection, day: int, outcome: str, **values: object) -> None:
    """A run of a day, and what came of the account in it."""
    at = f"2026-03-{day:02}T03:00:00.000Z"
    run_id = runs.begin_run(connection, at, "test", {})
    runs.begin_account(connection, run_id, *ACCOUNT, at)
    if outcome != "running":
        runs.end_account(connection, run_id, *ACCOUNT, {"outcome": outcome, **values})


def known(connection: sqlite3.Connection) -> ScanTimes:
    return scan_times(connection, [ACCOUNT])[ACCOUNT]


def test_an_account_that_was_never_scanned_has_no_times(connection: sqlite3.Connection) -> None:
    assert known(connection) == ScanTimes()


def test_a_failure_is_a_try_and_reads_nothing(connection: sqlite3.Connection) -> None:
    scan(connection, 1, "done", fresh_until="2026-03-01T04:00:00.000Z")
    scan(connection, 2, "fresh")
    scan(connection, 3, "failed", error_code="down")
    found = known(connection)
    assert (found.tried_at, found.read_at) == (
        "2026-03-03T03:00:00.000Z",
        "2026-03-01T03:00:00.000Z",
    )
    assert (found.outcome, found.error_code) == ("failed", "down")
    assert found.fresh_until == "2026-03-01T04:00:00.000Z"
    assert not found.was_stopped


def test_a_run_that_was_killed_was_stopped(connection: sqlite3.Connection) -> None:
    scan(connection, 1, "done")
    scan(connection, 2, "running")
    assert known(connection).was_stopped
