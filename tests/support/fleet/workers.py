"""Real processes of workers, and what must be true of a fleet when they are done."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from archiver.archive.database import reader
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.fleet.database import connected
from archiver.fleet.settings import load_fleet
from archiver.fleet.tenant_backup import run_job
from archiver.fleet.tenant_export import export_tenant
from archiver.models import current_time
from support.fleet.fleets import FleetBench

TENANTS = ("acme", "city")


def start_worker(
    fleet: FleetBench, *options: str, file: Path | None = None, largest: int | None = None
) -> "subprocess.Popen[bytes]":
    """A worker in a process group of its own. `largest` limits the files that it writes, in KiB."""
    return worker_process(file or fleet.file, *options, largest=largest)


def worker_process(
    file: Path, *options: str, largest: int | None = None
) -> "subprocess.Popen[bytes]":
    """The same, of the fleet of that `fleet.toml`."""
    command = [sys.executable, "-m", "archiver", "-q", "fleet", "worker", *options]
    if largest is not None:  # dash counts blocks of 512 bytes
        command = ["sh", "-c", 'ulimit -f "$0"; exec "$@"', str(2 * largest), *command]
    return subprocess.Popen(
        [*command, "--fleet", str(file)], stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def ends_within(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Whether a process ends in that time."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def queue_all(fleet: FleetBench, tenants: Sequence[str] = TENANTS) -> None:
    """Two accounts of each tenant, to be backed up."""
    for tenant in tenants:
        fleet.add(tenant, 2)
    assert queue_due(fleet) == len(tenants)


def queue_due(fleet: FleetBench) -> int:
    """Queue what is due; how many jobs."""

    async def enqueue() -> int:
        queue = fleet.queue()
        async with queue.app.open_async():
            return await queue.enqueue_due()

    return asyncio.run(enqueue())


def let_time_pass(fleet: FleetBench) -> None:
    """Have all accounts that fail be due, and all jobs that wait for their next try."""
    with connected(fleet.address) as connection:
        connection.execute("UPDATE fleet.accounts SET next_at = now() WHERE error_code IS NOT NULL")
        connection.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")


def bury_workers(fleet: FleetBench) -> None:
    """Have it be long ago that they gave a sign of life."""
    with connected(fleet.address) as connection:
        connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1h'"
        )


def are_all_read(fleet: FleetBench) -> bool:
    """Whether each account was."""
    return all(row.good == row.accounts for row in fleet.rows().values())


def posts(folder: Path) -> list[tuple[str, str]]:
    """The account and the identity of each post of an archive."""
    with reader(folder) as archive:
        rows = archive.execute(
            "SELECT a.name, p.platform_id FROM posts p JOIN accounts a ON a.id = p.account_id"
            " ORDER BY 1, 2"
        )
        return [tuple(row) for row in rows]


def check(fleet: FleetBench, target: Path) -> None:
    """Each archive is whole, has the posts of one that was left alone, and was put back twice.

    They are exported into `target` for that, from what is in the store.
    """
    tenants = [*fleet.rows()]
    calm = fleet.add("calm", 2)
    run_job(fleet.job("calm", *calm))
    settings = load_fleet(fleet.file)
    for tenant in ("calm", *tenants):
        assert export_tenant(settings, tenant, target / tenant).damaged == 0
    expected = posts(target / "calm")
    rows = fleet.rows()
    for tenant in tenants:
        assert verify(target / tenant, Scope(), current_time()).damage == []
        assert posts(target / tenant) == expected
        assert rows[tenant].version == 2, "an account was put back twice, or never"
