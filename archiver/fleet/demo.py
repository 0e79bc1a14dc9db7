"""The demo of a fleet: some tenants, two workers, a PostgreSQL of its own, a folder as store."""

import asyncio
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from archiver.archive.database import reader
from archiver.errors import StorageError, UsageError
from archiver.fleet.database import FleetAccount, add_accounts, connected, take_due
from archiver.fleet.jobs import ASKED, FleetQueue, open_queue
from archiver.fleet.overview import FleetState, fleet_state
from archiver.fleet.postgres import EmbeddedPostgres, embedded_postgres
from archiver.fleet.settings import FLEET_FILE

DEMO_MARK = "# made by archiver fleet demo; it is replaced when the demo runs again"
_FLEET = """{mark}
[fleet]
database = "env:ARCHIVER_FLEET_DEMO"
directory = "."
settings = "tenant.toml"
"""
_TENANT = """{mark}
# The source was a small world on this machine. It is gone, the archives stay.

[network]
allow = ["127.0.0.0/8"]
{source}"""
_WORKERS = 2
_VARIABLE = "ARCHIVER_FLEET_DEMO"
TENANTS = ("acme", "city-of-mare", "harbour-museum")


def write_demo(folder: Path, source: str) -> list[FleetAccount]:
    """Write the files of a demo; the accounts of its world. Raises UsageError for a used folder.

    `source` is TOML: the table of a source, and its accounts.
    """
    file = folder / FLEET_FILE
    if folder.is_dir() and any(folder.iterdir()):
        if not file.is_file() or not file.read_text("utf-8").startswith(DEMO_MARK):
            raise UsageError(
                f"{folder} contains files that are not of a demo",
                kept="Nothing was changed",
                hint="Name an empty or new folder: archiver fleet demo DIR",
            )
        raise UsageError(
            f"{folder} has the archives of an earlier demo",
            hint=f"Remove it first: rm -r {folder}",
        )
    folder.mkdir(parents=True, exist_ok=True)
    head, *accounts = source.split("[[accounts]]")
    _write(file, _FLEET.format(mark=DEMO_MARK))
    _write(folder / "tenant.toml", _TENANT.format(mark=DEMO_MARK, source=head))
    found = []
    for text in accounts:
        table = tomllib.loads(text)
        found.append(
            FleetAccount(table.pop("name"), table.pop("platform"), table.pop("source", None), table)
        )
    return found


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")


def run_demo(
    folder: Path, accounts: Sequence[FleetAccount], days: int, *, begin_day: Callable[[int], object]
) -> FleetState:
    """Share the accounts out to the tenants, and back all of them up day by day, by two workers.

    Returns how the fleet is at last. `begin_day` is called with the number of each day, before its
    backups. Raises UsageError, StorageError.
    """
    with embedded_postgres() as server:
        os.environ[_VARIABLE] = server.address
        try:
            return asyncio.run(_run_days(folder, server, accounts, days, begin_day))
        finally:
            del os.environ[_VARIABLE]


async def _run_days(
    folder: Path, server: EmbeddedPostgres, accounts: Sequence[FleetAccount], days: int,
    begin_day: Callable[[int], object],
) -> FleetState:  # fmt: skip
    queue = open_queue(folder / FLEET_FILE)
    async with queue.app.open_async():
        await queue.prepare()
        with connected(server.address) as connection:
            for number, tenant in enumerate(TENANTS):
                add_accounts(connection, tenant, None, accounts[number :: len(TENANTS)])
            for day in range(1, days + 1):
                begin_day(day)
                await queue.enqueue(take_due(connection, now=True), priority=ASKED)
                await _work(queue)
            return fleet_state(connection, timedelta(days=1))


async def _work(queue: FleetQueue) -> None:
    """Run two workers until there is nothing left to do. Raises StorageError."""
    command = (sys.executable, "-m", "archiver", "-q", "fleet", "worker", "--until-idle",
               "--fleet", str(queue.file))  # fmt: skip
    workers = [
        await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL)
        for _ in range(_WORKERS)
    ]
    codes = await asyncio.gather(*(worker.wait() for worker in workers))
    if any(codes):
        raise StorageError("A worker of the demo failed", hint="Its message is above")


def count_archived(folder: Path) -> tuple[int, int]:
    """How many posts and files all tenants of a demo have. Raises StorageError."""
    posts = files = 0
    for tenant in TENANTS:
        with reader(folder / tenant) as archive:
            (found,) = archive.execute("SELECT count(*) FROM posts").fetchone()
            posts += found
            (found,) = archive.execute("SELECT count(*) FROM media").fetchone()
            files += found
    return posts, files
