"""What a fleet costs beside plain backups of the same accounts: `python -m benchmarks.fleet [TENANTS]`.

The accounts are three of the demo's world, the same for each tenant (50 unless said otherwise), in
a process of its own that is not counted. Counted are workers, processes of tenants and PostgreSQL;
and for plain backups one `archiver backup` for each tenant. An unchanged night asks every source.

All tenants have one profile, and wait for its limit together: of a fleet, time by the clock says
how fast the source may be asked.
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
from archiver.plugins import load_plugins
from archiver.webserver import listen_on_loopback, origin_of, running

ACCOUNTS = 3
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
    with tempfile.TemporaryDirectory() as name, world() as source:
        folder = Path(name)
        accounts = write_demo(folder / "fleet", source)[:ACCOUNTS]
        plain = Plain(folder / "plain", source, tenants)
        with embedded_postgres() as server:
            os.environ[VARIABLE] = server.address
            fleet = Fleet(folder / "fleet", server, accounts, tenants)
            first = fleet.night(1)
            plain_first = plain.night()
            unchanged = fleet.night(1)
            plain_unchanged = plain.night("--now")
            both = fleet.night(2)
    print(f"{tenants} tenants × {ACCOUNTS} accounts, {os.cpu_count()} cores; ", end="")
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
def world() -> Iterator[str]:
    """The demo's world in a process of its own; TOML that says where it is."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fleet", "--world"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        source = "".join(iter(process.stdout.readline, "# end\n"))
        try:
            yield source
        finally:
            process.stdin.close()


def serve_world() -> None:
    """Be that process, until stdin ends."""
    demo = load_plugins(environ={}).demo().begin(DemoClock(datetime.now(UTC), running=True).now)
    sockets = listen_on_loopback()
    with running(demo.app, sockets, quiet=True):
        demo.begin_day(1)
        print(demo.serve_at([origin_of(sock) for sock in sockets]) + "\n# end", flush=True)
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
        head, *accounts = source.split("[[accounts]]")
        text = "[[accounts]]".join([head, *accounts[:ACCOUNTS]])
        self.files = [folder / str(number) / "archive.toml" for number in range(tenants)]
        for file in self.files:
            file.parent.mkdir(parents=True)
            file.touch(mode=0o600)
            file.write_text('[network]\nallow = ["127.0.0.0/8"]\n' + text)

    def night(self, *options: str) -> Night:
        """Back up all, one after the other."""

        def work() -> None:
            for file in self.files:
                command = [*COMMAND, "--config", str(file), "backup", *options]
                subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

        return measured(len(self.files) * ACCOUNTS, work)


class Fleet:
    """A fleet of so many tenants with the same accounts."""

    def __init__(
        self, folder: Path, server: EmbeddedPostgres, accounts: list[FleetAccount], tenants: int
    ) -> None:
        self.folder, self.server = folder, server
        self.names = [f"tenant-{number}" for number in range(tenants)]
        asyncio.run(self._prepare())
        with connected(server.address) as connection:
            for name in self.names:
                add_accounts(connection, name, None, accounts)

    async def _prepare(self) -> None:
        queue = open_queue(self.folder / "fleet.toml")
        async with queue.app.open_async():
            await queue.prepare()

    async def _enqueue(self) -> None:
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

        asyncio.run(self._enqueue())
        sent, busy = self._sent(), self._database_seconds()
        night = measured(len(self.names) * ACCOUNTS, work)
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
            with suppress(FileNotFoundError):  # it has just ended
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if sys.argv[1:] == ["--world"]:
        serve_world()
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 50)
