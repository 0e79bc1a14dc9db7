"""`make torture`: every fault that there is time for, and a page with how it went.

    python tests/torture/scoreboard.py --minutes 8 --write docs/reliability.md

Points are tried in an order of which any beginning is an even sample, by as many processes as
asked for, each with a world of its own. With `--minutes 0` all of them are tried.
"""

import math
import multiprocessing
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

import click

sys.path.extend(str(Path(__file__).parents[number]) for number in (1, 2))

from docs.figures import put_figures
from support.torture import faults, patches, power
from support.torture.rig import LARGE, SECOND_NIGHT, SMALL, TINY, Rig, Scene, rig

AREA = "durability"
_AT_ONCE = "two pages, the whole disk synced"
_SCENES = {
    "two pages, one file": TINY,
    _AT_ONCE: TINY,
    "a second night": SECOND_NIGHT,
    "two accounts": SMALL,
    "large": LARGE,
}
_PATCHES = {_AT_ONCE: ("at once",)}
"""What is changed in the program in a scene."""

_MOST_TOLD = 10
_MEASURED = (
    ("film", "a film of 8 MiB", 8 << 20),
    ("film", "a film of 2 GiB", 2 << 30),
    ("posts", "1,000 posts", 1_000),
    ("posts", "100,000 posts", 100_000),
)
_MEANS = ("SIGKILL", "failing calls", "power cut")

T = TypeVar("T")
Trial = tuple[str, Callable[[], list[str] | None]]


@dataclass(slots=True)
class Tally:
    """How some trials went: of `there` moments, `tried`, of which `bad` had findings."""

    there: int = 0
    tried: int = 0
    bad: int = 0
    missed: int = 0
    told: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take in what another process tried of the same moments."""
        self.there = max(self.there, other.there)
        self.tried += other.tried
        self.bad += other.bad
        self.missed += other.missed
        self.told = (self.told + other.told)[:_MOST_TOLD]


def spread(items: Sequence[T]) -> Iterator[T]:
    """All of them, in an order of which every beginning is spread evenly (bits reversed)."""
    bits = max(1, math.ceil(math.log2(max(2, len(items)))))
    for number in range(1 << bits):
        place = int(f"{number:0{bits}b}"[::-1], 2)
        if place < len(items):
            yield items[place]


def attempt(
    tally: Tally, trials: Iterator[Trial], until: float, most: float = math.inf, *,
    till_found: bool = False,
) -> None:  # fmt: skip
    """Do one trial after the other, until the time is up, so many are done, or something shows."""
    while tally.tried < most and not (till_found and tally.bad):
        name, trial = next(trials, ("", None))
        if trial is None:
            return
        found = trial()
        if found is None:
            tally.missed += 1
            continue
        tally.tried += 1
        if found:
            tally.bad += 1
            tally.told.append(f"{name}: {found[0][:300]}")
        if time.monotonic() > until:
            return


def trials_of(kind: str, made: Rig, changed: Sequence[str] = ()) -> list[Trial]:
    """All trials of one kind against a scene, with patches."""
    recording = faults.record(made, changed)
    if kind == "power cut":
        cuts = list(power.cuts(recording.calls, recording.top, recording.base))
        return [(str(lost), lambda lost=lost: faults.cut(made, lost)) for lost in cuts]  # type: ignore[misc]  # defaults bind
    if kind == "SIGKILL":
        return [(str(p), lambda p=p: faults.kill(made, p, changed)) for p in recording.points]  # type: ignore[misc]  # defaults bind
    ways = [(error, False) for error in faults.ERRORS] + [("ENOSPC", True)]
    return [
        (
            f"{p} {error}{'+' if lasting else ''}",
            lambda p=p, error=error, lasting=lasting: faults.fail(  # type: ignore[misc]  # defaults bind
                made, p, error, changed, lasting=lasting
            ),
        )
        for p in recording.points
        for error, lasting in ways
    ]


def work(scene: str, kind: str, shard: int, shards: int, seconds: float) -> Tally:
    """One process: a world of its own, and its share."""
    with rig(_SCENES[scene]) as made:
        trials = trials_of(kind, made, _PATCHES.get(scene, ()))
        tally = Tally(there=len(trials))
        share = islice(spread(trials), shard, None, shards)
        attempt(tally, share, time.monotonic() + seconds)
        return tally


def work_on_copy(what: str, kind: str, shard: int, shards: int, seconds: float) -> Tally:
    """One process, and its share of a copy that is broken off."""
    with rig(TINY) as made:
        base = faults.before_copying(made, what)
        recording = faults.record_copying(made, what, base)
        if kind == "SIGKILL":
            trials: list[Trial] = [
                (str(p), lambda p=p: faults.kill_copying(made, what, base, p))  # type: ignore[misc]  # defaults bind
                for p in recording.points
            ]
        else:
            trials = [
                (str(lost), lambda lost=lost: faults.cut_copying(made, what, base, lost))  # type: ignore[misc]  # defaults bind
                for lost in power.cuts(recording.calls, recording.top, recording.base)
            ]
        tally = Tally(there=len(trials))
        attempt(tally, islice(spread(trials), shard, None, shards), time.monotonic() + seconds)
        return tally


def work_on_mutant(mutant: str, most: int, seconds: float) -> dict[str, Tally]:
    """What each means finds against one broken rule, in so many trials or seconds for each."""
    scene: Scene = SECOND_NIGHT if mutant in patches.SECOND_NIGHT else TINY
    with rig(scene) as made:
        found, left = {}, {}
        for kind in _MEANS:
            trials = _worth_trying(kind, trials_of(kind, made, (mutant,) if mutant else ()))
            found[kind], left[kind] = Tally(len(trials)), spread(trials)
            attempt(found[kind], left[kind], time.monotonic() + seconds, most)
        for kind in _MEANS[::-1] if mutant else ():
            if not any(tally.bad for tally in found.values()):  # no haste lets one escape
                attempt(found[kind], left[kind], math.inf, till_found=True)
    return found


def _worth_trying(kind: str, trials: list[Trial]) -> list[Trial]:
    """Of a mutant's moments: all but most of SQLite's page writes, and of the calls only syncs."""
    if kind == "failing calls":
        return [trial for trial in trials if trial[0].startswith(("fsync", "syncfs"))]
    pages = [trial for trial in trials if trial[0].startswith("pwrite64")]
    return [trial for trial in trials if trial not in pages] + pages[::10]


def campaign(pool: ProcessPoolExecutor, jobs: int, minutes: float) -> dict[tuple[str, str], Tally]:
    """The program itself: every kind of fault in every scene."""
    shares = {
        "two pages, one file": 0.2, _AT_ONCE: 0.1, "a second night": 0.1, "two accounts": 0.1,
        "large": 0.4,
    }  # fmt: skip
    shares |= dict.fromkeys(faults.COPYING, 0.1 / len(faults.COPYING))
    weights = {"SIGKILL": 0.4, "failing calls": 0.3, "power cut": 0.3}
    tallies: dict[tuple[str, str], Tally] = {}
    for scene, share in shares.items():
        is_copy = scene in faults.COPYING
        for kind in _MEANS:
            if is_copy and kind == "failing calls":
                continue
            seconds = minutes * 60 * share * weights[kind] if minutes else math.inf
            trying = work_on_copy if is_copy else work
            futures: list[Future[Tally]] = [
                pool.submit(trying, scene, kind, shard, jobs, seconds) for shard in range(jobs)
            ]
            tally = Tally()
            for future in futures:
                tally.add(future.result())
            tallies[scene, kind] = tally
            click.echo(f"{scene}, {kind}: {_survived(tally)}", err=True)
            for told in tally.told:
                click.echo(f"    {told}", err=True)
    return tallies


def mutants(pool: ProcessPoolExecutor, most: int, seconds: float) -> dict[str, dict[str, Tally]]:
    """The tests themselves: how often each means finds each broken rule."""
    names = ["", *patches.MUTANTS]
    futures = {name: pool.submit(work_on_mutant, name, most, seconds) for name in names}
    found = {}
    for name, future in futures.items():
        found[name] = future.result()
        line = ", ".join(f"{kind} {t.bad} of {t.tried}" for kind, t in found[name].items())
        click.echo(f"{name or 'the program as it is'}: {line}", err=True)
    return found


def peaks() -> list[tuple[str, int]]:
    """What is fetched, and the most memory, in MiB, that a run took for it."""
    found = []
    for what, words, number in _MEASURED:
        memory_disk = Path("/dev/shm")
        roomy = memory_disk.is_dir() and shutil.disk_usage(memory_disk).free > 4 << 30
        with tempfile.TemporaryDirectory(dir=memory_disk if roomy else None) as folder:
            command = [
                sys.executable,
                str(Path(__file__).parents[1] / "support" / "torture" / "memory.py"),
            ]
            done = subprocess.run(
                [*command, what, folder, str(number)], capture_output=True, text=True, check=True,
                env={**os.environ, "PYTHONPATH": _python_path()},
            )  # fmt: skip
        found.append((words, int(done.stdout)))
        click.echo(f"{words}: {done.stdout.strip()} MiB", err=True)
    return found


def _python_path() -> str:
    tests = str(Path(__file__).parent.parent)
    return os.pathsep.join(filter(None, (tests, os.environ.get("PYTHONPATH"))))


def page(
    tallies: dict[tuple[str, str], Tally], table: dict[str, dict[str, Tally]],
    memory: Sequence[tuple[str, int]], command: str,
) -> str:  # fmt: skip
    """The generated part of the page."""
    lines = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with `{command}`: Python "
        f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, {_strace_version()}, Linux "
        f"{platform.machine()}, {os.cpu_count()} cores; revision {_revision()}.",
        "",
        "| run | fault | moments there are | tried | survived |",
        "|---|---|---|---|---|",
    ]
    for (scene, kind), tally in tallies.items():
        share = f"{tally.tried:,}" + (f" ({tally.tried / tally.there:.0%})" if tally.there else "")
        lines.append(
            f"| {scene} | {kind} | {tally.there:,} | {share} | {tally.tried - tally.bad:,} |"
        )
    for kind in _MEANS:
        total = [tally for (_, k), tally in tallies.items() if k == kind]
        tried, bad = sum(t.tried for t in total), sum(t.bad for t in total)
        lines.append(f"| **all** | **{kind}** | | **{tried:,}** | **{tried - bad:,}** |")
    caught = [name for name, by in table.items() if name and any(t.bad for t in by.values())]
    lines += [
        "",
        f"Broken rules found out: {len(caught)} of {len(patches.MUTANTS)}. In each cell, how many "
        "of the moments that were tried showed it.",
        "",
        "| rule broken on purpose | SIGKILL | failing sync | power cut |",
        "|---|---|---|---|",
    ]
    for name, by in table.items():
        cells = " | ".join(
            f"{'**' * bool(t.bad)}{t.bad} of {t.tried}{'**' * bool(t.bad)}" for t in by.values()
        )
        lines.append(f"| {name or 'none: the program as it is'} | {cells} |")
    lines += ["", "| what is fetched | peak memory of the run |", "|---|---|"]
    lines += [f"| {words} | {peak} MiB |" for words, peak in memory]
    return "\n".join(lines)


def _survived(tally: Tally) -> str:
    return f"{tally.tried - tally.bad:,} of {tally.tried:,} survived, {tally.there:,} there are"


def _strace_version() -> str:
    said = subprocess.run(["strace", "-V"], capture_output=True, text=True, check=False).stdout
    return "strace " + said.split("version", 1)[-1].split()[0]


def _revision() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


@click.command()
@click.option("--minutes", type=float, default=8.0, help="For all of it, roughly; 0 for no limit.")
@click.option("--jobs", type=int, default=2, help="Processes at once.")
@click.option("--most", type=int, default=40, help="Trials per mutant and means.")
@click.option(
    "--write",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A page to fill in, also with what every means finds of the mutants, and peaks of memory.",
)
def main(minutes: float, jobs: int, most: int, write: Path | None) -> None:
    """Try it all; exit code 1 where anything was lost or a mutant survived."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        if write is None:  # `make test` finds every mutant out, and looks at memory
            tallies, table = campaign(pool, jobs, minutes), {}
        else:
            share = minutes * 60 * 0.3 * jobs / (len(patches.MUTANTS) + 1) / len(_MEANS)
            table = mutants(pool, most, share or math.inf)
            tallies = campaign(pool, jobs, minutes * 0.6)
            text = page(tallies, table, peaks(), f"make torture TORTURE_MINUTES={minutes:g}")
            click.echo(text)
            put_figures(write, AREA, text)
    escaped = [name for name, by in table.items() if name and not any(t.bad for t in by.values())]
    if escaped or any(tally.bad for tally in tallies.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
