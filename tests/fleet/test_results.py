"""How accounts went: who may write it, and when they are tried again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from archiver.errors import ArchiverError, ConfigError, StorageError
from archiver.fleet.database import Lease, LeaseLost, accounts_of, connected, release, take_lease
from archiver.fleet.results import (
    BROKEN_RETRY,
    FIRST_RETRY,
    AccountResult,
    commit_version,
    note_failed_job,
    note_unsaved,
    write_result,
)
from support.fleet.fleets import FleetBench

pytestmark = pytest.mark.peers

GOOD = timedelta(days=1)


def good(name: str) -> AccountResult:
    return AccountResult(name, "done", None, None, GOOD)


def test_only_the_newest_lease_makes_a_version_the_current_one(fleet: FleetBench) -> None:
    (account,) = fleet.add("acme")
    with connected(fleet.address) as connection:
        late = take_lease(connection, "acme", "paused")
        newer = take_lease(connection, "acme", "awake")
        assert late is not None
        assert newer is not None
        with pytest.raises(LeaseLost, match="Another worker has taken acme"):
            commit_version(
                connection, late, 1, "old", size=1, media_size=0, sent=1, result=good(account.name)
            )
        with pytest.raises(LeaseLost, match="Another worker has taken acme"):
            write_result(connection, late, good(account.name))
        assert fleet.account_rows()[account.name].tried_at is None
        commit_version(
            connection, newer, 1, "new", size=9, media_size=7, sent=5, result=good(account.name)
        )
        with pytest.raises(LeaseLost):
            commit_version(
                connection,
                newer,
                1,
                "again",
                size=1,
                media_size=0,
                sent=1,
                result=good(account.name),
            )
        release(connection, late)
        assert fleet.rows()["acme"].holder == "awake", "an old lease released a newer one"
        release(connection, newer)
    row = fleet.rows()["acme"]
    assert (row.version, row.size, row.sent, row.holder, row.good) == (1, 9, 5, None, 1)


def test_a_tenant_shows_what_fails_and_why(fleet: FleetBench) -> None:
    first, second = fleet.add("acme", 2)
    with connected(fleet.address) as connection:
        lease = take_lease(connection, "acme", "a worker")
        assert lease is not None
        failed = AccountResult(first.name, "failed", "refused", "The key is refused", GOOD)
        write_result(connection, lease, failed)
        note_failed_job(connection, "acme", [second.name], datetime.now(UTC), "Its process ended")
        assert take_lease(connection, "nobody", "a worker") is None
    row = fleet.rows()["acme"]
    assert (row.accounts, row.failing, sorted(row.reasons)) == (2, 2, ["job", "refused"])


def seconds_until_due(row: Any) -> float:
    """From its last try to its next."""
    wait: timedelta = row.next_at - row.tried_at
    return wait.total_seconds()


def test_what_the_store_did_not_take_is_tried_again_later_each_time_it_was_asked_for(
    fleet: FleetBench,
) -> None:
    """All tries of one job count as one failure."""
    (account,) = fleet.add("acme")
    asked_at = datetime.now(UTC) - timedelta(hours=9)

    def fail(asked_at: datetime, error: ArchiverError) -> tuple[str, int, float]:
        with connected(fleet.address) as connection:
            lease = take_lease(connection, "acme", "a worker")
            assert lease is not None
            note_unsaved(connection, lease, [account.name], asked_at, error)
            (found,) = accounts_of(connection, "acme")
        assert not found.is_done_since(asked_at)
        row = fleet.account_rows()[account.name]
        return row.error_code, row.failures, seconds_until_due(row)

    first = FIRST_RETRY.total_seconds()
    assert fail(asked_at, StorageError("503")) == ("storage", 1, first)
    assert fail(asked_at, StorageError("503")) == ("storage", 1, first)
    later = datetime.now(UTC)
    assert fail(later, StorageError("Full", code="full")) == ("full", 2, 2 * first)
    at_last = datetime.now(UTC)
    assert fail(at_last, ConfigError("No key")) == ("config", 3, BROKEN_RETRY.total_seconds())


def test_a_job_that_fails_leaves_what_it_has_done_and_what_another_worker_does(
    fleet: FleetBench,
) -> None:
    done, left = fleet.add("acme", 2)
    names = [done.name, left.name]
    asked_at = datetime.now(UTC) - timedelta(seconds=9)
    with connected(fleet.address) as connection:
        lease = take_lease(connection, "acme", "a worker")
        assert lease is not None
        write_result(connection, lease, good(done.name))
        note_failed_job(connection, "acme", names, asked_at, "Its process ended")
        late = Lease(lease.tenant_id, "acme", lease.fence - 1, 0, None, None)
        note_unsaved(connection, late, names, asked_at, StorageError("It woke up late"))
    rows = fleet.account_rows()
    assert (rows[done.name].outcome, rows[done.name].failures) == ("done", 0)
    assert (rows[left.name].outcome, rows[left.name].error_code) == ("unsaved", "job")
