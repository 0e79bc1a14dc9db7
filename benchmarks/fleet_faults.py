"""Nights of many tenants while everything fails: `python -m benchmarks.fleet_faults [TENANTS]`.

A first backup, in which workers are killed at twenty random moments, one is paused and one has a
full disk, PostgreSQL crashes, and the store is slow and refuses; then a night in which nothing
fails. At the end every archive is exported from what is in the store, verified, and its posts are
counted. The store is a bucket, of which ARCHIVER_TEST_S3="ENDPOINT BUCKET KEY SECRET" tells.
"""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the server that fails is there

from archiver.archive.database import reader
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.fleet.database import connected
from archiver.fleet.demo import write_demo
from archiver.fleet.postgres import embedded_postgres
from archiver.fleet.settings import load_fleet
from archiver.fleet.tenant_export import export_tenant
from archiver.models import current_time
from benchmarks.fleet import PLATFORMS, VARIABLE, Fleet, world
from support.fleet.faulty_store import Fault, FaultyStore, faulty_store
from support.fleet.workers import worker_process

POSTS = 10
KILLS = 20
REFUSING, SLOW, PAUSED, FULL = 15, 30, 75, 20
"""For how many seconds the store refuses, or is slow; a worker is paused, or its disk is full."""
LATE = 0.2  # seconds an answer of a slow store takes
STORE = """store = "s3://{bucket}"
store_endpoint = "{endpoint}"
store_key = "env:ARCHIVER_BENCHMARK_STORE_KEY"
store_secret = "env:ARCHIVER_BENCHMARK_STORE_SECRET"
"""


@dataclass
class Workers:
    """Two workers that are replaced when they end."""

    file: Path
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, largest: int | None = None) -> None:
        """One more. `largest` limits the files that it writes, in KiB."""
        self.running.append(worker_process(self.file, largest=largest))

    def kill(self, number: int) -> None:
        """End one at once, and start another."""
        process = self.running.pop(number)
        process.kill()
        process.wait()
        self.start()

    def pause(self) -> None:
        """Stop one where it is, longer than it takes until others have its work."""
        process = self.running[0]
        process.send_signal(signal.SIGSTOP)
        time.sleep(PAUSED)
        process.send_signal(signal.SIGCONT)

    def fill_disk(self) -> None:
        """Have one in place of another that can write no file of more than 64 KiB."""
        self.stop_one()
        self.start(largest=64)
        time.sleep(FULL)
        self.stop_one(last=True)
        self.start()

    def stop_one(self, *, last: bool = False) -> None:
        """Have one end what it does, and stop."""
        process = self.running.pop(-1 if last else 0)
        process.send_signal(signal.SIGTERM)
        process.wait()

    def stop(self) -> None:
        """Have all end."""
        while self.running:
            self.stop_one()


@dataclass
class Night:
    """The state of a fleet while it is backed up."""

    fleet: Fleet
    store: FaultyStore
    workers: Workers

    def progress(self) -> tuple[int, int]:
        """How many accounts are read, and how many jobs wait or run."""
        with connected(self.fleet.server.address) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM fleet.accounts WHERE outcome = 'done') AS read,"
                " (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
                " AND task_name LIKE '%tenant%') AS jobs"
            ).fetchone()
        assert row is not None
        return row.read, row.jobs

    def run(self, faults: list[tuple[float, str, Callable[[], None]]]) -> float:
        """Back up all; how many seconds it took. Each fault comes when that share is read."""
        begin, every = time.monotonic(), len(self.fleet.names) * len(PLATFORMS)
        asyncio.run(self.fleet.enqueue())
        try:
            self.work(faults, begin, every)
        finally:
            self.workers.stop()
        return time.monotonic() - begin

    def work(
        self, faults: list[tuple[float, str, Callable[[], None]]], begin: float, every: int
    ) -> None:
        """Have two workers back up all, and let each fault come at its time."""
        with connected(self.fleet.server.address) as connection:
            connection.execute("UPDATE fleet.accounts SET outcome = NULL")
        for _ in range(2):
            self.workers.start()
        faults = sorted(faults, key=lambda each: each[0])
        while True:
            read, jobs = self.progress()
            while faults and read >= faults[0][0] * every:
                _, name, fault = faults.pop(0)
                print(
                    f"{time.monotonic() - begin:6.0f} s, {read:,} accounts read: {name}", flush=True
                )
                fault()
                read, jobs = self.progress()
            if read == every and not jobs:
                break
            self.ask_again()
            time.sleep(1)

    def ask_again(self) -> None:
        """Have accounts that failed be due now, and not in an hour."""
        with connected(self.fleet.server.address) as connection:
            connection.execute(
                "UPDATE fleet.accounts SET next_at = now() WHERE error_code IS NOT NULL"
            )

    def crash_database(self) -> None:
        """As by a power cut, and back after some seconds."""
        self.fleet.server.stop("immediate")
        time.sleep(5)
        self.fleet.server.start()

    def fail_store(self, fault: Callable[[str, str], Fault], seconds: float) -> None:
        """Have the store fail for so long."""
        self.store.fault = fault
        time.sleep(seconds)
        self.store.fault = lambda method, path: "none"

    def faults(self, moments: random.Random) -> list[tuple[float, str, Callable[[], None]]]:
        """What fails, after which share of the accounts."""
        kills = [
            (moments.uniform(0.02, 0.95), "a worker is killed",
             partial(self.workers.kill, moments.randrange(2)))
            for _ in range(KILLS)
        ]  # fmt: skip
        return [
            *kills,
            (0.15, "PostgreSQL crashes", self.crash_database),
            (0.30, "the store refuses", partial(self.fail_store, lambda *_: "503", REFUSING)),
            (0.45, "the store is slow", partial(self.fail_store, late, SLOW)),
            (0.60, "a worker is paused", self.workers.pause),
            (0.75, "the disk of a worker is full", self.workers.fill_disk),
        ]


def late(_method: str, _path: str) -> Fault:
    """Let a request wait."""
    time.sleep(LATE)
    return "none"


@dataclass(frozen=True)
class Found:
    """What is in the archive of a tenant."""

    damage: int
    posts: tuple[int, ...]
    files: int
    waiting: int
    runs: int
    """Of accounts."""


def look(file: Path, tenant: str) -> Found:
    """Export an archive from the store, verify it, and count."""
    with tempfile.TemporaryDirectory() as name:
        target = Path(name, "archive")
        damaged = export_tenant(load_fleet(file), tenant, target).damaged
        damage = damaged + len(verify(target, Scope(), current_time()).damage)
        with reader(target) as archive:
            posts = archive.execute("SELECT count(*) FROM posts GROUP BY account_id").fetchall()
            files, waiting, runs = archive.execute(
                "SELECT (SELECT count(*) FROM media),"
                " (SELECT count(*) FROM renditions WHERE state IN ('pending', 'failed')),"
                " (SELECT count(*) FROM run_accounts)"
            ).fetchone()
        return Found(damage, tuple(count for (count,) in posts), files, waiting, runs)


def check(file: Path, names: list[str], wanted: tuple[int, ...]) -> Iterator[str]:
    """Sentences on all archives, for people."""
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(partial(look, file), names, chunksize=5))
    bad = [name for name, each in zip(names, found, strict=True) if each.damage]
    short = [name for name, each in zip(names, found, strict=True) if each.posts != wanted]
    yield f"{len(found):,} archives exported and verified: {len(bad)} damaged {bad[:5]}"
    yield f"{len(short)} have other posts than their accounts {short[:5]}"
    yield f"{sum(sum(each.posts) for each in found):,} posts, {sum(each.files for each in found):,} files"
    yield f"{sum(each.waiting for each in found)} files wait"
    yield f"runs of accounts by tenant: {dict(Counter(each.runs for each in found))}"


def main(tenants: int) -> None:
    """Run both nights, and look."""
    endpoint, bucket, key, secret = os.environ["ARCHIVER_TEST_S3"].split()
    os.environ |= {"ARCHIVER_BENCHMARK_STORE_KEY": key, "ARCHIVER_BENCHMARK_STORE_SECRET": secret}
    folder = Path(tempfile.mkdtemp())
    try:
        with (
            world(tenants, POSTS) as source, embedded_postgres() as server,
            faulty_store(endpoint) as store,
        ):  # fmt: skip
            os.environ[VARIABLE] = server.address
            write_demo(folder / "fleet", source)
            file = folder / "fleet" / "fleet.toml"
            with file.open("a") as text:
                text.write(STORE.format(bucket=bucket, endpoint=store.origin))
            fleet = Fleet(folder / "fleet", server, tenants)
            night = Night(fleet, store, Workers(file))
            for name, faults in (("first", night.faults(random.Random(19))), ("second", [])):
                taken = night.run(faults)
                accounts = tenants * len(PLATFORMS)
                print(
                    f"The {name} night took {taken:,.0f} s, {accounts / taken * 3600:,.0f} accounts an hour"
                )
                for sentence in check(file, fleet.names, (POSTS,) * len(PLATFORMS)):
                    print(sentence, flush=True)
            print(f"{len(store.asked):,} requests to the store")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1000)
