"""The fleet's tables: who is due, and who may write which archive."""

from datetime import timedelta

import pytest

from archiver.errors import UsageError
from archiver.fleet import database
from archiver.fleet.database import (
    FleetDatabaseDown,
    check_tables,
    connected,
    set_paused,
    take_due,
    take_lease,
)
from archiver.fleet.results import AccountResult, write_result
from support.fleet.fleets import FleetBench
from support.running import RunArchiver

pytestmark = pytest.mark.peers


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


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE fleet.tenants DROP COLUMN profile", "DROP TABLE fleet.alerts",
        "DROP SCHEMA fleet CASCADE",
    ],
)  # fmt: skip
def test_tables_of_an_earlier_version_and_missing_ones_are_said(
    fleet: FleetBench, change: str, run_archiver: RunArchiver
) -> None:
    check_tables(fleet.address)
    with connected(fleet.address) as connection:
        connection.execute(change)
    with pytest.raises(UsageError, match="earlier version, or missing"):
        check_tables(fleet.address)
    env = {"ARCHIVER_FLEET_DEMO": fleet.address}
    done = run_archiver("fleet", "worker", "--fleet", str(fleet.file), env=env)
    assert (done.returncode, "archiver fleet init" in done.stderr) == (2, True), done.stderr
    assert run_archiver("fleet", "init", "--fleet", str(fleet.file), env=env).returncode == 0
    check_tables(fleet.address)
