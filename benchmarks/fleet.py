"""What a fleet costs beside plain backups of the same accounts: `python -m benchmarks.fleet [TENANTS]`.

Each tenant (50 unless said otherwise) has a profile of its own, with three accounts of 20 posts, in
a simulated world whose process is not counted. Counted are workers, processes of tenants and
PostgreSQL; and for plain backups one `archiver backup` for each tenant. An unchanged night asks
every source.
"""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from archiver.clock import DemoClock
from archiver.fleet.database import FleetAccount, add_accounts, connected, take_due
from archiver.fleet.demo import write_demo
from archiver.fleet.jobs import ASKED, open_queue
from archiver.fleet.postgres import EmbeddedPostgres, embedded_postgres
from archiver.webserver import listen_on_loopback, origin_of, running
from archiver_ayrshare.demo.app import application
from archiver_ayrshare.demo.world import World

PLATFORMS = ("facebook", "instagram", "threads")
POSTS = 20
PROFILE = "ARCHIVER_BENCHMARK_PROFILE_{}"
"""The variable with the key of a tenant's profile; its value is its name."""
SOURCE = """
[ayrshare]
api_key = "env:ARCHIVER_BENCHMARK_KEY"
base_url = "{origin}/api"
"""
ACCOUNT = """
[[accounts]]
name = "{platform}"
platform = "{platform}"
profile_key = "env:{profile}"
"""
VARIABLE = "ARCHIVER_FLEET_DEMO"
COMMAND = (sys.executable, "-m", "archiver", "-q")


@dataclass(frozen=True)
class Night:
    """What a night took: seconds of time and of processors, and of the latter PostgreSQL's."""

    accounts: int
    wall: float
    cpu: float
    database: float = 0.0
    moved: int = 0

    def line(self, name: str) -> str:
        """As a row of a table."""
        each = (self.cpu + self.database) / self.accounts
        moved = f"{self.moved / self.accounts / 1000:,.0f} kB" if self.moved else "–"
        return (
            f"| {name} | {self.wall:.0f} s | {self.cpu:.0f} s | {self.database:.0f} s "
            f"| {each:.2f} s | {3600 / each:,.0f} | {moved} |"
        )


def main(tenants: int) -> None:
    """Measure, and print a table."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, world(tenants) as source:
        folder = Path(name)
        write_demo(folder / "fleet", source)
        plain = Plain(folder / "plain", source, tenants)
        with embedded_postgres() as server:
            os.environ[VARIABLE] = server.address
            fleet = Fleet(folder / "fleet", server, tenants)
            first = fleet.night(1)
            plain_first = plain.night()
            unchanged = fleet.night(1)
            plain_unchanged = plain.night("--now")
            both = fleet.night(2)
    print(f"{tenants} tenants × {len(PLATFORMS)} accounts, {os.cpu_count()} cores; ", end="")
    print(f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after")
    print(
        "\n| | time | processors | of PostgreSQL | an account | accounts an hour and core "
        "| sent, an account |\n|---|---|---|---|---|---|---|"
    )
    print(first.line("first backup, one worker"))
    print(plain_first.line("first backup, `archiver backup`"))
    print(unchanged.line("unchanged night, one worker"))
    print(plain_unchanged.line("unchanged night, `archiver backup`"))
    print(both.line("unchanged night, two workers"))
    print(f"\nOverhead: {over(first, plain_first)} of a first backup, ", end="")
    print(f"{over(unchanged, plain_unchanged)} of an unchanged night. ", end="")
    print(f"Two workers take {both.wall / unchanged.wall:.0%} of the time of one.")


def over(fleet: Night, plain: Night) -> str:
    """How much more processor time the fleet takes."""
    return f"{(fleet.cpu + fleet.database) / plain.cpu - 1:+.0%}"


@contextmanager
def world(tenants: int, posts: int = POSTS) -> Iterator[str]:
    """The world in a process of its own; TOML that says where it is."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fleet", "--world", str(tenants), str(posts)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        origin, os.environ["ARCHIVER_BENCHMARK_KEY"] = process.stdout.readline().split()
        for number in range(tenants):
            os.environ[PROFILE.format(number)] = PROFILE.format(number)
        try:
            yield SOURCE.format(origin=origin)
        finally:
            process.stdin.close()


def serve_world(tenants: int, posts: int) -> None:
    """Be that process, until stdin ends."""
    made = World(DemoClock(datetime.now(UTC), running=True).now)
    for number in range(tenants):
        profile = made.add_profile(PROFILE.format(number), f"Tenant {number}")
        for platform in PLATFORMS:
            profile.account(platform).populate(posts)
    sockets = listen_on_loopback()
    with running(application(made), sockets, quiet=True):
        made.origins = [origin_of(sock) for sock in sockets]
        print(made.origins[0], made.api_key, flush=True)
        sys.stdin.read()


def measured(accounts: int, work: Callable[[], None]) -> Night:
    """What the processes take that are started in it."""
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Night(accounts, time.perf_counter() - begin, cpu)


class Plain:
    """The same accounts without a fleet: a folder and a config for each tenant."""

    def __init__(self, folder: Path, source: str, tenants: int) -> None:
        self.files = [folder / str(number) / "archive.toml" for number in range(tenants)]
        for number, file in enumerate(self.files):
            profile = PROFILE.format(number)
            accounts = (ACCOUNT.format(platform=each, profile=profile) for each in PLATFORMS)
            text = '[network]\nallow = ["127.0.0.0/8"]\n' + source + "".join(accounts)
            file.parent.mkdir(parents=True)
            file.write_text(text)

    def night(self, *options: str) -> Night:
        """Back up all, one after the other."""

        def work() -> None:
            for file in self.files:
                command = [*COMMAND, "--config", str(file), "backup", *options]
                subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

        return measured(len(self.files) * len(PLATFORMS), work)


class Fleet:
    """A fleet of so many tenants."""

    def __init__(self, folder: Path, server: EmbeddedPostgres, tenants: int) -> None:
        self.folder, self.server = folder, server
        self.names = [f"tenant-{number}" for number in range(tenants)]
        asyncio.run(self._prepare())
        with connected(server.address) as connection:
            for number, name in enumerate(self.names):
                options = {"profile_key": f"env:{PROFILE.format(number)}"}
                accounts = [FleetAccount(each, each, "ayrshare", options) for each in PLATFORMS]
                add_accounts(connection, name, None, accounts)

    async def _prepare(self) -> None:
        queue = open_queue(self.folder / "fleet.toml")
        async with queue.app.open_async():
            await queue.prepare()

    async def enqueue(self) -> None:
        """Queue all accounts now."""
        with connected(self.server.address) as connection:
            due = take_due(connection, now=True)
        queue = open_queue(self.folder / "fleet.toml")
        async with queue.app.open_async():
            assert await queue.enqueue(due, priority=ASKED) == len(self.names)

    def night(self, workers: int) -> Night:
        """Back up all with so many workers."""

        def work() -> None:
            command = [*COMMAND, "fleet", "worker", "--until-idle"]
            command += ["--fleet", str(self.folder / "fleet.toml")]
            running = [subprocess.Popen(command) for _ in range(workers)]
            assert [worker.wait() for worker in running] == [0] * workers

        asyncio.run(self.enqueue())
        sent, busy = self._sent(), self._database_seconds()
        night = measured(len(self.names) * len(PLATFORMS), work)
        moved = sum(size for path, size in self._sent().items() if path not in sent)
        with connected(self.server.address) as connection:
            row = connection.execute(
                "SELECT count(*) FROM fleet.accounts WHERE outcome <> 'done'"
            ).fetchone()
        assert row is not None
        assert row.count == 0, "not all accounts were backed up"
        return Night(
            night.accounts, night.wall, night.cpu, self._database_seconds() - busy, moved
        )  # fmt: skip

    def _sent(self) -> dict[Path, int]:
        """What was put into the store of versions: packs and manifests."""
        return {path: path.stat().st_size for path in self.folder.glob("*/versions/*")}

    def _database_seconds(self) -> float:
        """Processor time of PostgreSQL so far, of connections that are closed too."""
        lines = (self.server.folder / "data" / "postmaster.pid").read_text().splitlines()
        server = int(lines[0])
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        ticks = 0
        for process in (server, *map(int, children)):
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--world"]:
        serve_world(*map(int, sys.argv[2:]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 50)
