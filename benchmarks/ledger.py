"""What the ledger costs a run: `python -m benchmarks.ledger [POSTS PER ACCOUNT [ROUNDS]]`.

The demo's world is backed up over loopback by a process of its own, a first time and then twice
unchanged, in turns with the ledger and without. Without is for this measurement alone: its
transactions note nothing and write no entry, and nothing is signed. Medians are printed, also of
the ratio of each turn to its neighbour, which a machine that slows down does not change, and the
worst and best of each. What the ledger's own functions and the signing take is timed as well,
inside of the runs that have them: a share of a few hundredths is less than the difference of two
equal runs.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from archiver.archive import ledger, rows, transactions
from archiver.backup import backup_run
from archiver.evidence.signing import Sealed
from archiver.webserver import listen_on_loopback, origin_of, running
from archiver_ayrshare.demo.app import application
from archiver_ayrshare.demo.world import World
from benchmarks.costs import PLATFORMS, backed_up, write_config
from benchmarks.environment import ROOT

WHAT = ("first backup", "night without news")
HOW = ("with", "without")
PARTS = (
    (ledger, "write_entry"),
    (rows, "note_added"),
    (rows, "note_changed"),
    (rows, "note_removed"),
    (backup_run, "seal"),
)
"""The functions of the ledger, in the modules that call them."""
Seconds = tuple[float, float, float]
"""Of the wall clock, of the processor, and of the wall clock inside of `PARTS`."""


def main(posts: int, rounds: int) -> None:
    found: dict[tuple[str, str], list[Seconds]] = {}
    for number in range(rounds):
        for how in HOW if number % 2 else reversed(HOW):
            for what, way, seconds in measured(posts, how):
                found.setdefault((what, way), []).append(seconds)
    print(f"{posts * len(PLATFORMS):,} posts, medians of {rounds}, load {os.getloadavg()[0]:.1f}")
    for what in WHAT:
        for column, clock in enumerate(("wall clock", "processor")):
            times = {how: [each[column] for each in found[what, how]] for how in HOW}
            one, other = (median(times[how]) for how in HOW)
            in_pairs = median(each / after for each, after in zip(*times.values(), strict=True))
            spread = ", ".join(f"{how} {min(t):.2f} to {max(t):.2f}" for how, t in times.items())
            print(f"{what}, {clock}: {one:.2f} s, without {other:.2f} s, "
                  f"{(one / other - 1):+.1%}, pair by pair {(in_pairs - 1):+.1%} ({spread})")  # fmt: skip
        share = median(inside / wall for wall, _, inside in found[what, "with"])
        print(f"{what}, inside of the ledger and of signing: {share:.1%} of the wall clock")


def measured(posts: int, how: str) -> list[tuple[str, str, Seconds]]:
    """The seconds of a first backup of a new archive, and of two unchanged nights after it."""
    world = World(lambda: datetime.now(UTC))
    for platform in PLATFORMS:
        world.account(platform).populate(posts)
    sockets = listen_on_loopback()
    found = []
    with tempfile.TemporaryDirectory() as name, running(application(world), sockets, quiet=True):
        world.origins = [origin_of(sock) for sock in sockets]
        config = write_config(Path(name), world, "changed")
        other = HOW[1 - HOW.index(how)]
        for what, way in ((WHAT[0], how), (WHAT[1], how), (WHAT[1], other)):
            for account in PLATFORMS:
                world.account(account).forget_answers()
            command = [sys.executable, "-m", "benchmarks.ledger", str(config), way]
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            wall, processor, inside = map(float, done.stdout.split()[-3:])
            found.append((what, way, (wall, processor, inside)))
    return found


@contextmanager
def _no_entry(_connection: object) -> Iterator[Callable[[], None]]:
    yield lambda: None


def _no_checkpoint(*_given: object) -> Sealed:
    return Sealed(None)


def back_up(config: Path, how: str) -> None:
    """Back up once, and print the seconds of the wall clock and of the processor."""
    if how == "without":
        vars(transactions)["ledger_entry"] = _no_entry
        vars(backup_run)["seal"] = _no_checkpoint
        vars(backup_run)["load_library"] = lambda: None
    spent: list[float] = []
    for module, name in PARTS if how == "with" else ():
        vars(module)[name] = timed(vars(module)[name], spent)
    before = time.process_time()
    seconds, report = backed_up(config)
    used = time.process_time() - before
    assert report.exit_code == 0, report
    print(seconds, used, sum(spent))


def timed(function: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    """The function; each call adds its seconds to `spent`."""

    def call(*given: Any, **named: Any) -> Any:
        before = time.perf_counter()
        try:
            return function(*given, **named)
        finally:
            spent.append(time.perf_counter() - before)

    return call


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[2] in HOW:
        back_up(Path(sys.argv[1]), sys.argv[2])
    else:
        given = [int(each) for each in sys.argv[1:]]
        main(*(given + [300, 5][len(given) :]))
