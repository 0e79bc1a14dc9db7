"""The queue of the fleet: tasks of Procrastinate, in the fleet's PostgreSQL.

A job is the backup of some accounts of one tenant. One job of a tenant runs at a time (its lock),
and one waits (its queueing lock). Jobs of accounts that were never read have a lower priority, so
that a backlog does not keep the nightly runs waiting. A worker that gives no sign of life for a
while is dead: its jobs are queued again, some times. One that does a job to the end has it deleted.
"""

import asyncio
import logging
import os
import platform
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import Job, Status

from archiver.config import load_config
from archiver.errors import ArchiverError, ConfigError, Interrupted
from archiver.fleet.alerts import send_alerts
from archiver.fleet.database import (
    TABLES,
    DueTenant,
    accounts_of,
    ask_again,
    connected,
    take_due,
)
from archiver.fleet.overview import FleetState, fleet_state
from archiver.fleet.results import note_failed_job
from archiver.fleet.settings import environment_for, load_fleet
from archiver.fleet.starter import Starter, StarterGone
from archiver.fleet.tenant_backup import TOLD, TenantJob
from archiver.fleet.worker_jobs import WorkerJobs
from archiver.secrets import redact

_log = logging.getLogger(__name__)
QUEUE = "backup"
NIGHTLY, BACKLOG, ASKED = 0, -10, 10
"""Priorities of jobs: higher numbers first."""
SILENT_SECONDS = 30.0
"""A worker that gave no sign of life for so long is dead."""
_ATTEMPTS = 4
_MOST_ATTEMPTS = 10
"""A job that was begun so often, and never ended, is given up: it may be what kills workers."""
_TASK = "back_up_tenant"
_KEPT_HOURS = 72
"""How long failed jobs are kept, for people to look at."""


class JobFailed(ArchiverError):
    """The process of a tenant failed; its job is tried again some times."""

    exit_code = 3
    default_code = "job"


@dataclass(frozen=True, slots=True)
class FleetQueue:
    """The queue, as one worker or one command uses it. `file` is `fleet.toml`."""

    file: Path
    app: procrastinate.App
    starter: Starter = field(default_factory=Starter)

    async def prepare(self) -> None:
        """Make the tables, where they are missing."""
        connector = self.app.connector
        found = await connector.execute_query_one_async(
            "SELECT to_regclass('procrastinate_jobs') IS NULL AS is_missing"
        )
        if found["is_missing"]:
            await self.app.schema_manager.apply_schema_async()
        for statement in TABLES.split(";\n"):
            if statement.strip():
                await connector.execute_query_async(statement)

    async def enqueue(self, due: list[DueTenant], *, priority: int | None = None) -> int:
        """Queue jobs; how many were not waiting already."""
        queued = 0
        for each in due:
            kind = BACKLOG if each.is_new else NIGHTLY
            task = self.app.configure_task(
                _TASK, queue=QUEUE, lock=each.tenant,
                queueing_lock=f"{each.tenant} {kind}",
                priority=kind if priority is None else priority,
            )  # fmt: skip
            with suppress(AlreadyEnqueued):
                await task.defer_async(
                    tenant=each.tenant, accounts=list(each.accounts),
                    asked_at=datetime.now(UTC).isoformat(), now=priority == ASKED,
                )  # fmt: skip
                queued += 1
        return queued

    async def enqueue_due(self) -> int:
        """Queue jobs for all accounts that are due."""
        with connected(self._address()) as connection:
            due = take_due(connection)
        return await self.enqueue(due)

    async def revive(self) -> int:
        """Queue the jobs of dead workers again; how many."""
        stalled = [*await self.app.job_manager.get_stalled_jobs(
            queue=QUEUE, seconds_since_heartbeat=SILENT_SECONDS
        )]  # fmt: skip
        for job in stalled:
            if job.attempts >= _MOST_ATTEMPTS:
                await self._give_up(job)
                continue
            try:
                await self.app.job_manager.retry_job(job)
            except UniqueViolation:  # another job of this tenant waits: it is not the same
                await self.app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
                said: dict[str, Any] = dict(job.task_kwargs)
                with connected(self._address()) as connection:
                    ask_again(connection, said["tenant"], said["accounts"])
        return len(stalled)

    async def _give_up(self, job: Job) -> None:
        await self.app.job_manager.finish_job(job, Status.FAILED, delete_job=False)
        said: dict[str, Any] = dict(job.task_kwargs)
        if job.task_name == _TASK:
            with connected(self._address()) as connection:
                why = f"Its worker ended {job.attempts} times before it was done"
                asked_at = datetime.fromisoformat(said["asked_at"])
                note_failed_job(connection, said["tenant"], said["accounts"], asked_at, why)

    async def look_after(self, *, report: bool, tell: bool) -> None:
        """What is done each minute: revive jobs, queue what is due, forget old failures.

        `report`: log an error for each tenant that is silent. `tell`: send messages of that.
        """
        if report or tell:
            state = await asyncio.to_thread(self._tell_of_silence, tell=tell)
            for tenant in state.tenants:
                if tenant.is_silent and report:
                    about = {"tenant": tenant.name, "seconds": round(tenant.oldest_age)}
                    _log.error("a tenant is silent", extra={"about": about})
        await self.revive()
        await self.enqueue_due()
        await self.app.job_manager.delete_old_jobs(_KEPT_HOURS, include_failed=True)

    def _tell_of_silence(self, *, tell: bool) -> FleetState:
        """How the fleet is. What fails of the messages is logged, and stops nothing else."""
        settings = load_fleet(self.file)
        with connected(settings.database.reveal()) as connection:
            state = fleet_state(connection, settings.silent_after)
            try:
                failures = (
                    send_alerts(connection, state, load_config(settings.settings)) if tell else []
                )
            except ConfigError as error:
                failures = [str(error)]
        for failure in failures:
            why = {"why": redact(failure)}
            _log.error("a message was not sent", extra={"about": why})
        return state

    async def back_up_tenant(
        self, tenant: str, accounts: list[str], asked_at: str, *, now: bool
    ) -> None:
        """Run the process of a tenant to its end. Raises JobFailed."""
        holder = f"{platform.node()}:{os.getpid()}"
        began = time.monotonic()
        about: dict[str, Any] = {"tenant": tenant, "accounts": len(accounts)}
        _log.info("a job begins", extra={"about": about})
        job = TenantJob(
            str(self.file), tenant, tuple(accounts), asked_at, now, holder, os.getpid()
        )  # fmt: skip
        try:
            code, said = await self.starter.run(job, self._environment(tenant))
        except StarterGone as error:
            code, said = JobFailed.exit_code, str(error).encode()
        if code:
            lines = said.decode(errors="replace").strip().splitlines()
            why = lines[-1] if lines else f"Its process ended with {code}"
            if code not in {Interrupted.exit_code, TOLD}:
                with connected(self._address()) as connection:
                    note_failed_job(
                        connection, tenant, accounts, datetime.fromisoformat(asked_at), why
                    )
            about |= {"exit_code": code, "why": redact(why)}
            _log.warning("a job failed", extra={"about": about})
            raise JobFailed(f"The backup of {tenant} failed", why=why)
        for line in said.decode(errors="replace").splitlines():
            _log.warning("told by a job", extra={"about": about | {"said": redact(line)}})
        about["seconds"] = round(time.monotonic() - began, 3)
        _log.info("a job is done", extra={"about": about})

    def _address(self) -> str:
        return load_fleet(self.file).database.reveal()

    def _environment(self, tenant: str) -> dict[str, str]:
        """The environment of a tenant's process: without the secrets of others."""
        settings = load_fleet(self.file)
        with connected(settings.database.reveal()) as connection:
            options = [str(dict(each.options)) for each in accounts_of(connection, tenant)]
            row = connection.execute(
                "SELECT settings FROM fleet.tenants WHERE name = %s", (tenant,)
            ).fetchone()
        base = settings.settings
        own = base.parent / row.settings if row and row.settings else base
        texts = [*options, self.file.read_text("utf-8"), own.read_text("utf-8")]
        return environment_for(texts, os.environ)


def open_queue(file: Path) -> FleetQueue:
    """The queue of a fleet, not yet connected: `async with queue.app.open_async()`.

    Raises ConfigError, SecretError.
    """
    address = load_fleet(file).database.reveal()
    connector = procrastinate.PsycopgConnector(conninfo=address, min_size=1, max_size=4)
    app = procrastinate.App(connector=connector)
    app.job_manager = WorkerJobs(connector)
    queue = FleetQueue(file.absolute(), app)
    retry = procrastinate.RetryStrategy(max_attempts=_ATTEMPTS, exponential_wait=4)
    app.task(name=_TASK, queue=QUEUE, retry=retry)(queue.back_up_tenant)

    async def look_after_jobs(timestamp: int) -> None:
        await queue.look_after(report=timestamp % 3600 < 60, tell=timestamp % 600 < 60)

    minute = app.task(name="look_after_jobs", queue=QUEUE, queueing_lock="look_after_jobs")(
        look_after_jobs
    )
    app.periodic(cron="* * * * *")(minute)
    return queue


async def work(queue: FleetQueue, *, until_idle: bool, at_once: int = 1) -> None:
    """Do jobs until the process is told to stop; or until there is none left that can be begun."""
    jobs = queue.app.job_manager
    if isinstance(jobs, WorkerJobs):
        jobs.ends_when_idle = until_idle
    async with queue.app.open_async():
        await queue.revive()
        try:
            await queue.app.run_worker_async(
                queues=[QUEUE], wait=not until_idle, concurrency=at_once,
                delete_jobs="successful", stalled_worker_timeout=SILENT_SECONDS,
                listen_notify=False,
                shutdown_graceful_timeout=0,  # processes of tenants are asked to stop at once
            )  # fmt: skip
        finally:
            await queue.starter.close()
