"""Runs, and who the accounts are."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.archive import runs
from archiver.archive.database import writer
from archiver.archive.runs import Counts
from archiver.errors import AccessRefused, DuplicateAccount
from archiver.models import Account, Identity, Record

NOW, LATER = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
ACCOUNT = Account("acme", "threads", "ayrshare", None)
IDENTITY = Identity("threads", "17", handle="acme")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with writer(tmp_path) as connection:
        yield connection


def test_counts_are_added_one_by_one() -> None:
    total = Counts(got=1, new=2, edited=3) + Counts(got=10, removed=4, stored=5, failed=6)
    assert total == Counts(got=11, new=2, edited=3, removed=4, stored=5, failed=6)


def test_a_run_that_was_killed_is_closed_as_interrupted_by_the_next(
    connection: sqlite3.Connection,
) -> None:
    killed = runs.begin_run(connection, NOW, "test", {})
    runs.begin_account(connection, killed, "acme", "ayrshare", NOW)
    runs.begin_run(connection, LATER, "test", {})
    query = "SELECT outcome FROM runs UNION ALL SELECT outcome FROM run_accounts"
    assert connection.execute(query).fetchall() == [
        ("interrupted",),
        ("running",),
        ("interrupted",),
    ]
    assert runs.newest_start(connection) == LATER


def test_an_account_keeps_its_row_under_another_label(connection: sqlite3.Connection) -> None:
    first = runs.claim_account(connection, ACCOUNT, IDENTITY, NOW)
    renamed = Account("acme-threads", "threads", "ayrshare", None)
    assert runs.claim_account(connection, renamed, IDENTITY, LATER) == first
    assert connection.execute("SELECT name FROM accounts").fetchall() == [("acme-threads",)]


def test_a_label_that_another_entry_uses_is_not_taken_over(connection: sqlite3.Connection) -> None:
    runs.claim_account(connection, ACCOUNT, IDENTITY, NOW)
    second = Account("again", "threads", "ayrshare", None)
    with pytest.raises(DuplicateAccount):
        runs.claim_account(connection, second, IDENTITY, LATER, {"acme"})


def test_another_person_under_a_known_label_is_refused(connection: sqlite3.Connection) -> None:
    runs.claim_account(connection, ACCOUNT, IDENTITY, NOW)
    with pytest.raises(AccessRefused) as refused:
        runs.claim_account(connection, ACCOUNT, Identity("threads", "18", handle="x"), LATER)
    assert refused.value.code == "identity"


def test_what_an_account_was_called_before_stays_on_record(connection: sqlite3.Connection) -> None:
    runs.claim_account(connection, ACCOUNT, IDENTITY, NOW)
    runs.claim_account(connection, ACCOUNT, Identity("threads", "17", handle="new"), LATER)
    runs.claim_account(connection, ACCOUNT, None, LATER)
    query = "SELECT seen_at, handle FROM account_profiles ORDER BY id"
    assert connection.execute(query).fetchall() == [(NOW, "acme"), (LATER, "new")]


def test_the_last_scan_is_that_of_the_newest_runs_that_scanned(
    connection: sqlite3.Connection,
) -> None:
    account_id = runs.claim_account(connection, ACCOUNT, IDENTITY, NOW)
    for at, values in (
        (NOW, {"outcome": "done", "full": 1, "complete": 1, "view": "{}", "fresh_until": NOW}),
        (LATER, {"outcome": "done", "complete": 1, "view": '{"a":1}', "fresh_until": LATER}),
        (LATER, {"outcome": "failed"}),
    ):
        run_id = runs.begin_run(connection, at, "test", {})
        runs.begin_account(connection, run_id, "acme", "ayrshare", at)
        ended = {"account_id": account_id, **values}
        runs.end_account(connection, run_id, "acme", "ayrshare", ended)
    last = runs.last_scan(connection, account_id, "ayrshare")
    assert runs.last_scan(connection, account_id, "another") == runs.LastScan()
    assert (last.fresh_until, last.last_full_at) == (LATER, NOW)
    assert (last.has_posts, last.view) == (False, '{"a":1}')


def test_a_record_in_quarantine_is_kept_once(connection: sqlite3.Connection) -> None:
    account_id = runs.claim_account(connection, ACCOUNT, IDENTITY, NOW)
    run_id = runs.begin_run(connection, NOW, "test", {})
    record = Record('{"id": 1}', {"id": 1})
    assert runs.quarantine(connection, run_id, account_id, record, "no time")
    assert not runs.quarantine(connection, run_id, account_id, record, "no time")
