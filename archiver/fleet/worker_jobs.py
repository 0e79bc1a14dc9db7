"""What a worker says of its jobs, also where it was asleep, or where PostgreSQL was away.

Procrastinate gives the job of a worker without a heartbeat to another one, but lets both of them
finish it. Here only the one can that has it now: `attempts` of a job grows each time it is queued
again. And where the database does not answer, a worker waits, in place of leaving its jobs.
"""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

from procrastinate import sql
from procrastinate.exceptions import ConnectorException, NoResult, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from archiver.fleet.database import WAITS

_log = logging.getLogger(__name__)
_HELD = (
    " WHERE EXISTS (SELECT 1 FROM procrastinate_jobs WHERE id = %(job_id)s AND status = 'doing'"
    " AND attempts = %(attempts)s FOR UPDATE)"
)
_HEARTBEAT = (
    "INSERT INTO procrastinate_workers (id) OVERRIDING SYSTEM VALUE VALUES (%(worker_id)s)"
    " ON CONFLICT (id) DO UPDATE SET last_heartbeat = now()"
)


class WorkerJobs(JobManager):
    """The jobs of Procrastinate, for a worker that goes on where the database is away.

    `ends_when_idle`: a worker that gets no job ends.
    """

    ends_when_idle = False

    async def fetch_job(self, queues: Any, worker_id: int) -> Job | None:
        """The next job; None where there is none, or no database. It is asked again soon.

        A worker that ends where there is none waits for the database here. Raises
        ConnectorException where that is away for minutes.
        """
        for wait in (*WAITS, None):
            try:
                return await super().fetch_job(queues, worker_id)
            except ConnectorException as error:
                _go_on("take a job", error)
                if not self.ends_when_idle:
                    break
                if wait is None:
                    raise
                await asyncio.sleep(wait)
        return None

    async def defer_periodic_job(self, job: Job, periodic_id: str, defer_timestamp: int) -> Any:
        """Queue what is done each minute, unless another worker did, or there is no database."""
        try:
            return await super().defer_periodic_job(job, periodic_id, defer_timestamp)
        except ConnectorException as error:
            _go_on("queue what is done each minute", error)
            return None

    async def update_heartbeat(self, worker_id: int) -> None:
        """Give a sign of life; a worker that was thought to be dead is registered again."""
        try:
            await self.connector.execute_query_async(query=_HEARTBEAT, worker_id=worker_id)
        except ConnectorException as error:
            _go_on("give a sign of life", error)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Set a job to its last state, if it was not given to another worker meanwhile."""
        await self._change(job, "finish_job", status=status.value, delete_job=delete_job)

    async def retry_job(
        self, job: Job, retry_at: datetime | None = None, priority: int | None = None,
        queue: str | None = None, lock: str | None = None,
    ) -> None:  # fmt: skip
        """Queue a job again, if it was not given to another worker meanwhile.

        Raises UniqueViolation where another job with its queueing lock waits.
        """
        await self._change(
            job, "retry_job", retry_at=retry_at or datetime.now(UTC), new_priority=priority,
            new_queue_name=queue, new_lock=lock,
        )  # fmt: skip

    async def _change(self, job: Job, name: str, **values: Any) -> None:
        query = sql.queries[name].rstrip("; \n") + _HELD
        for wait in (*WAITS, None):
            try:
                found = await self.connector.execute_query_all_async(
                    query=query, job_id=job.id, attempts=job.attempts, **values
                )
            except UniqueViolation:
                raise
            except ConnectorException:
                if wait is None:
                    raise
                await asyncio.sleep(wait)
            else:
                if not found:
                    _log.warning("Job %s was given to another worker meanwhile", job.id)
                return


def _go_on(what: str, error: ConnectorException) -> None:
    """Note that the database does not answer; any other error is raised."""
    if isinstance(error, UniqueViolation | NoResult):
        raise error
    _log.warning("The fleet's database does not answer; could not %s: %s", what, error)
