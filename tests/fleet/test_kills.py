"""Workers that are killed, and a database that is: nothing is lost, and nothing done twice."""

import asyncio
import random
import signal
import subprocess
import sys

import pytest

from archiver.archive.database import reader
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.fleet.database import connected
from archiver.fleet.tenant_backup import run_job
from archiver.models import current_time
from support.fleet.fleets import FleetBench, FleetGround

pytestmark = pytest.mark.peers

KILLS = 3
TENANTS = ("acme", "city")


def start_worker(fleet: FleetBench, *options: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "archiver", "-q", "fleet", "worker", *options]
    return subprocess.Popen(
        [*command, "--fleet", str(fleet.file)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def ends_within(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def queue_all(fleet: FleetBench) -> None:
    """Two accounts of each tenant, to be backed up."""

    async def enqueue() -> None:
        queue = fleet.queue()
        async with queue.app.open_async():
            assert await queue.enqueue_due() == len(TENANTS)

    for tenant in TENANTS:
        fleet.add(tenant, 2)
    asyncio.run(enqueue())


def bury_workers(fleet: FleetBench) -> None:
    """Have it be long ago that they gave a sign of life."""
    with connected(fleet.address) as connection:
        connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1h'"
        )


def are_all_read(fleet: FleetBench) -> bool:
    rows = fleet.rows()
    return all(rows[tenant].good == rows[tenant].accounts for tenant in TENANTS)


def posts(fleet: FleetBench, tenant: str) -> list[tuple[str, str]]:
    """The account and the identity of each post."""
    with reader(fleet.folder / tenant) as archive:
        rows = archive.execute(
            "SELECT a.name, p.platform_id FROM posts p JOIN accounts a ON a.id = p.account_id"
            " ORDER BY 1, 2"
        )
        return [tuple(row) for row in rows]


def check(fleet: FleetBench) -> None:
    """Each archive is whole, has the posts of one that was left alone, and was put back twice."""
    calm = fleet.add("calm", 2)
    run_job(fleet.job("calm", *calm))
    expected = posts(fleet, "calm")
    rows = fleet.rows()
    for tenant in TENANTS:
        assert verify(fleet.folder / tenant, Scope(), current_time()).damage == []
        assert posts(fleet, tenant) == expected
        assert rows[tenant].version == 2, "an account was put back twice, or never"


def test_workers_that_are_killed_at_any_moment_lose_nothing_and_do_nothing_twice(
    fleet: FleetBench,
) -> None:
    queue_all(fleet)
    moments = random.Random(19)
    for _ in range(KILLS):
        worker = start_worker(fleet, "--until-idle")
        ends_within(worker, moments.uniform(0.5, 4))
        worker.kill()
        worker.wait()
        bury_workers(fleet)
    assert start_worker(fleet, "--until-idle").wait(600) == 0
    assert are_all_read(fleet)
    check(fleet)


def test_a_database_that_crashes_and_comes_back_is_waited_for(
    fleet: FleetBench, fleet_ground: FleetGround
) -> None:
    queue_all(fleet)
    worker = start_worker(fleet)
    try:
        while not any(row.holder for row in fleet.rows().values()):
            assert not ends_within(worker, 0.05)
        fleet_ground.server.stop("immediate")
        fleet_ground.server.start()
        while not are_all_read(fleet):
            assert not ends_within(worker, 0.2)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(120)
    check(fleet)
