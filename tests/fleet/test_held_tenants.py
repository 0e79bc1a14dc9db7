"""A tenant that a command has taken from the workers."""

import signal
import subprocess
import sys

import pytest

from archiver.errors import UsageError
from archiver.fleet.database import LeaseLost, connected, set_paused, take_lease
from archiver.fleet.held_tenants import held_tenant
from support.fleet.fleets import FleetBench

pytestmark = pytest.mark.peers

HOLD = """
import sys
from archiver.fleet.held_tenants import held_tenant
with held_tenant(sys.argv[1], "acme", "a command"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def address(fleet: FleetBench) -> str:
    """The database of a fleet with one tenant, which has an archive."""
    fleet.add("acme")
    with connected(fleet.address) as connection:
        connection.execute("UPDATE fleet.tenants SET version = 1, manifest = 'versions/1.json'")
    return fleet.address


def test_no_worker_and_no_other_command_gets_it_meanwhile(address: str) -> None:
    with connected(address) as connection:
        with held_tenant(address, "acme", "a command") as held:
            assert take_lease(connection, "acme", "a worker") is None
            with (
                pytest.raises(UsageError, match="Another command has acme"),
                held_tenant(address, "acme", "another"),
            ):
                pass
            held.check()
        lease = take_lease(connection, "acme", "a worker")
        assert lease is not None
        assert lease.fence == held.lease.fence + 1


def test_it_is_let_go_when_the_command_is_killed(address: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with connected(address) as connection:
            assert take_lease(connection, "acme", "a worker") is None
            process.send_signal(signal.SIGKILL)
            process.wait()
            connection.execute("SELECT pg_advisory_lock(1718379877, id::int) FROM fleet.tenants")
            connection.execute("SELECT pg_advisory_unlock_all()")
            assert take_lease(connection, "acme", "a worker") is not None


def test_it_is_free_as_soon_as_the_command_ends(address: str) -> None:
    """Not some time after its connection was closed, when PostgreSQL notices."""
    with connected(address) as connection:
        for _ in range(20):
            with held_tenant(address, "acme", "a command"):
                pass
            assert take_lease(connection, "acme", "a worker") is not None


def test_one_that_is_refused_is_not_held(address: str) -> None:
    with connected(address) as connection:
        connection.execute("UPDATE fleet.tenants SET manifest = NULL")
        for _ in range(20):
            with (
                pytest.raises(UsageError, match="no archive yet"),
                held_tenant(address, "acme", "a command"),
            ):
                pass
            assert take_lease(connection, "acme", "a worker") is not None


def test_a_paused_one_can_be_held_and_one_at_work_cannot(address: str) -> None:
    with connected(address) as connection:
        set_paused(connection, ["acme"], paused=True)
        with held_tenant(address, "acme", "a command"):
            pass
        connection.execute(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, lock, status, args)"
            " VALUES ('back_up_tenant', 'backup', 'acme', 'doing', '{}')"
        )
        with (
            pytest.raises(UsageError, match="is being backed up"),
            held_tenant(address, "acme", "a command"),
        ):
            pass


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("name = 'city'", "no tenant"),
        ("manifest = NULL", "no archive yet"),
        ("deleting_since = now()", "is being deleted"),
    ],
)
def test_one_without_an_archive_is_refused(address: str, change: str, message: str) -> None:
    with connected(address) as connection:
        connection.execute(f"UPDATE fleet.tenants SET {change}")
    with pytest.raises(UsageError, match=message), held_tenant(address, "acme", "a command"):
        pass


def test_that_it_is_lost_is_noticed(address: str) -> None:
    with held_tenant(address, "acme", "a command") as held, connected(address) as connection:
        connection.execute("UPDATE fleet.tenants SET fence = fence + 1")
        with pytest.raises(LeaseLost, match="not held by this command any more"):
            held.check()
