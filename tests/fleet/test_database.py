"""The fleet's tables: who is due, and who may write which archive."""

from datetime import timedelta

import pytest

from archiver.errors import UsageError
from archiver.fleet import database
from archiver.fleet.database import (
    AccountResult,
    FleetDatabaseDown,
    LeaseLost,
    commit_version,
    connected,
    note_failed_job,
    release,
    set_paused,
    take_due,
    take_lease,
    write_result,
)
from support.fleet.fleets import FleetBench

pytestmark = pytest.mark.peers

GOOD = timedelta(days=1)
SIZES = {"size": 9, "media_size": 7, "sent": 5}


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


def test_what_is_due_is_due_once_and_new_accounts_come_apart(fleet: FleetBench) -> None:
    old, new, _ = fleet.add("acme", 3)
    fleet.add("city")
    with connected(fleet.address) as connection:
        lease = take_lease(connection, "acme", "a worker")
        assert lease is not None
        write_result(connection, lease, AccountResult(old.name, "done", None, None, timedelta()))
        due = {(each.tenant, each.is_new): each.accounts for each in take_due(connection)}
        assert due["acme", False] == (old.name,)
        assert new.name in due["acme", True]
        assert ("city", True) in due
        assert take_due(connection) == []
        assert len(take_due(connection, ["city"], now=True)) == 1
        with pytest.raises(UsageError, match='no tenant "nobody"'):
            take_due(connection, ["nobody"])


def test_a_paused_tenant_is_never_due(fleet: FleetBench) -> None:
    fleet.add("acme")
    with connected(fleet.address) as connection:
        assert set_paused(connection, ["acme", "nobody"], paused=True) == 1
        assert take_lease(connection, "acme", "a worker that had it in its queue") is None
        assert take_due(connection, now=True) == []
        set_paused(connection, ["acme"], paused=False)
        assert len(take_due(connection)) == 1


def test_a_tenant_shows_what_fails_and_why(fleet: FleetBench) -> None:
    first, second = fleet.add("acme", 2)
    with connected(fleet.address) as connection:
        lease = take_lease(connection, "acme", "a worker")
        assert lease is not None
        failed = AccountResult(first.name, "failed", "refused", "The key is refused", GOOD)
        write_result(connection, lease, failed)
        note_failed_job(connection, "acme", [second.name], "Its process ended")
        assert take_lease(connection, "nobody", "a worker") is None
    row = fleet.rows()["acme"]
    assert (row.accounts, row.failing, sorted(row.reasons)) == (2, 2, ["job", "refused"])


def test_a_worker_that_stands_still_in_a_transaction_keeps_no_tenant_from_others(
    fleet: FleetBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("acme")
    monkeypatch.setattr(database, "STANDSTILL_SECONDS", 0.05)

    def stand_still() -> None:
        with connected(fleet.address) as paused:
            paused.execute("BEGIN; UPDATE fleet.tenants SET holder = 'a paused worker'")
            with connected(fleet.address) as connection:
                assert take_lease(connection, "acme", "another worker") is not None
            paused.execute("COMMIT")

    with pytest.raises(FleetDatabaseDown):
        stand_still()
    assert fleet.rows()["acme"].holder == "another worker"
