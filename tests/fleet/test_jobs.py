"""Jobs of a fleet: what is due is queued once, and what a dead worker left is taken by another."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from archiver.fleet.database import DueTenant, connected
from archiver.fleet.jobs import BACKLOG, NIGHTLY, QUEUE, FleetQueue, work
from support.fleet.fleets import FleetBench

pytestmark = pytest.mark.peers


def with_queue(fleet: FleetBench, do: Callable[[FleetQueue], Awaitable[object]]) -> object:
    async def run() -> object:
        queue = fleet.queue()
        async with queue.app.open_async():
            return await do(queue)

    return asyncio.run(run())


def jobs(fleet: FleetBench) -> list[tuple[str, str, int]]:
    """The status, tenant and priority of each job of a tenant."""
    with connected(fleet.address) as connection:
        rows = connection.execute(
            "SELECT status::text, args->>'tenant', priority FROM procrastinate_jobs"
            " WHERE task_name = 'back_up_tenant' ORDER BY priority DESC, id"
        )
        return [tuple(row) for row in rows]


def test_accounts_that_were_never_read_wait_for_the_nightly_runs(fleet: FleetBench) -> None:
    fleet.add("acme")
    fleet.add("city")
    due = [DueTenant("acme", ("a",), True), DueTenant("city", ("b",), False)]
    assert with_queue(fleet, lambda queue: queue.enqueue(due)) == 2
    assert with_queue(fleet, lambda queue: queue.enqueue(due)) == 0, "a job waits twice"
    assert jobs(fleet) == [("todo", "city", NIGHTLY), ("todo", "acme", BACKLOG)]


def test_a_worker_does_what_is_due_until_there_is_nothing_left(fleet: FleetBench) -> None:
    (account,) = fleet.add("acme")
    assert with_queue(fleet, lambda queue: queue.enqueue_due()) == 1
    asyncio.run(work(fleet.queue(), until_idle=True))
    assert fleet.account_rows()[account.name].outcome == "done"
    assert jobs(fleet) == []


def test_a_job_that_saves_nothing_says_why_at_its_accounts(fleet: FleetBench) -> None:
    (account,) = fleet.add("acme")
    with connected(fleet.address) as connection:
        connection.execute("UPDATE fleet.tenants SET manifest = 'versions/lost.json'")
    with_queue(fleet, lambda queue: queue.enqueue_due())
    asyncio.run(work(fleet.queue(), until_idle=True))
    row = fleet.account_rows()[account.name]
    assert (row.outcome, row.error_code, row.failures) == ("unsaved", "storage", 1)
    assert row.tried_at is not None
    assert "versions/lost.json" in row.message


def test_what_a_dead_worker_left_is_queued_again(fleet: FleetBench) -> None:
    (account,) = fleet.add("acme")

    async def die(queue: FleetQueue) -> None:
        """Take the job as a worker does, and give no sign of life ever after."""
        await queue.enqueue_due()
        worker = await queue.app.job_manager.register_worker()
        assert await queue.app.job_manager.fetch_job([QUEUE], worker) is not None

    with_queue(fleet, die)
    with connected(fleet.address) as connection:
        connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1h'"
        )
    assert jobs(fleet) == [("doing", "acme", BACKLOG)]
    asyncio.run(work(fleet.queue(), until_idle=True))
    assert fleet.account_rows()[account.name].outcome == "done"
    assert jobs(fleet) == []
