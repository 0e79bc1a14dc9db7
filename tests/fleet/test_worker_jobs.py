"""What a worker says of its jobs, when it was asleep, and when PostgreSQL is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status

from archiver.fleet import worker_jobs
from archiver.fleet.database import connected
from archiver.fleet.jobs import QUEUE, FleetQueue
from archiver.fleet.worker_jobs import WorkerJobs
from support.fleet.fleets import FleetBench


def with_queue(fleet: FleetBench, do: Callable[[FleetQueue], Awaitable[None]]) -> None:
    async def run() -> None:
        queue = fleet.queue()
        async with queue.app.open_async():
            await do(queue)

    asyncio.run(run())


def silence_workers(fleet: FleetBench) -> None:
    with connected(fleet.address) as connection:
        connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1h'"
        )


def statuses(fleet: FleetBench) -> list[tuple[str, int]]:
    """The status and the attempts of each job."""
    with connected(fleet.address) as connection:
        rows = connection.execute("SELECT status::text, attempts FROM procrastinate_jobs")
        return [tuple(row) for row in rows]


@pytest.mark.peers
def test_a_worker_that_wakes_up_late_does_not_end_the_job_that_another_one_has(
    fleet: FleetBench, caplog: pytest.LogCaptureFixture
) -> None:
    fleet.add("acme")

    async def wake_up_late(queue: FleetQueue) -> None:
        jobs = queue.app.job_manager
        await queue.enqueue_due()
        asleep = await jobs.fetch_job([QUEUE], await jobs.register_worker())
        silence_workers(fleet)
        assert await queue.revive() == 1
        awake = await jobs.fetch_job([QUEUE], await jobs.register_worker())
        assert asleep is not None
        assert awake is not None
        assert asleep.id == awake.id
        await jobs.finish_job(asleep, Status.SUCCEEDED, delete_job=True)
        await jobs.retry_job(asleep)
        assert statuses(fleet) == [("doing", 1)]
        assert "was given to another worker" in caplog.text
        await jobs.finish_job(awake, Status.SUCCEEDED, delete_job=True)
        assert statuses(fleet) == []

    with_queue(fleet, wake_up_late)


@pytest.mark.peers
def test_a_worker_that_was_thought_dead_takes_jobs_again(fleet: FleetBench) -> None:
    fleet.add("acme")

    async def come_back(queue: FleetQueue) -> None:
        jobs = queue.app.job_manager
        worker = await jobs.register_worker()
        await queue.enqueue_due()
        silence_workers(fleet)
        assert list(await jobs.prune_stalled_workers(30)) == [worker]
        assert await jobs.fetch_job([QUEUE], worker) is None
        await jobs.update_heartbeat(worker)
        assert await jobs.fetch_job([QUEUE], worker) is not None

    with_queue(fleet, come_back)


class DatabaseAway:
    """A connector whose database answers only after so many questions."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    async def ask(self, *_: object, **__: object) -> list[dict[str, Any]]:
        self.failures -= 1
        if self.failures >= 0:
            raise ConnectorException("away")
        return [{}]

    async def ask_one(self, *_: object, **__: object) -> dict[str, Any]:
        await self.ask()
        return {"id": None}

    execute_query_async = execute_query_all_async = ask
    execute_query_one_async = ask_one


def job() -> Job:
    return Job(
        id=1, queue=QUEUE, lock=None, queueing_lock=None, task_name="a task",
        task_kwargs={"timestamp": 0},
    )  # fmt: skip


def test_without_a_database_a_worker_waits(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker_jobs, "WAITS", (0.0, 0.0))
    caplog.set_level(logging.WARNING)

    def away(failures: int) -> WorkerJobs:
        return WorkerJobs(DatabaseAway(failures))  # type: ignore[arg-type]  # as much as is asked

    assert asyncio.run(away(1).fetch_job([QUEUE], 1)) is None
    assert asyncio.run(away(1).defer_periodic_job(job(), "", 0)) is None
    asyncio.run(away(1).update_heartbeat(1))
    assert caplog.text.count("does not answer") == 3
    asyncio.run(away(2).finish_job(job(), Status.SUCCEEDED, delete_job=True))
    with pytest.raises(ConnectorException):
        asyncio.run(away(3).retry_job(job()))


def test_a_worker_that_ends_without_jobs_does_not_take_an_absent_database_for_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_jobs, "WAITS", (0.0, 0.0))

    def fetch(database: DatabaseAway) -> Job | None:
        jobs = WorkerJobs(database)  # type: ignore[arg-type]  # as much as is asked
        jobs.ends_when_idle = True
        return asyncio.run(jobs.fetch_job([QUEUE], 1))

    database = DatabaseAway(2)
    assert fetch(database) is None
    assert database.failures == -1, "it was not asked until it answered"
    with pytest.raises(ConnectorException):
        fetch(DatabaseAway(3))
