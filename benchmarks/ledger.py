"""What the ledger costs a run: `python -m benchmarks.ledger [POSTS PER ACCOUNT [ROUNDS]]`.

The demo's world is backed up over loopback by a process of its own, a first time and then
unchanged, in turns with the ledger and without. Without is for this measurement alone: its
transactions note nothing and write no entry. Medians are printed, and the worst and best of each.
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

from archiver.archive import transactions
from archiver.webserver import listen_on_loopback, origin_of, running
from archiver_ayrshare.demo.app import application
from archiver_ayrshare.demo.world import World
from benchmarks.costs import PLATFORMS, backed_up, write_config
from benchmarks.environment import ROOT

WHAT = ("first backup", "night without news")
HOW = ("with", "without")
Seconds = tuple[float, float]
"""Of the wall clock, and of the processor."""


def main(posts: int, rounds: int) -> None:
    found: dict[tuple[str, str], list[Seconds]] = {}
    for number in range(rounds):
        for how in HOW if number % 2 else reversed(HOW):
            for what, seconds in zip(WHAT, measured(posts, how), strict=True):
                found.setdefault((what, how), []).append(seconds)
    print(f"{posts * len(PLATFORMS):,} posts, medians of {rounds}, load {os.getloadavg()[0]:.1f}")
    for what in WHAT:
        for column, clock in enumerate(("wall clock", "processor")):
            times = {how: [each[column] for each in found[what, how]] for how in HOW}
            one, other = (median(times[how]) for how in HOW)
            spread = ", ".join(f"{how} {min(t):.2f} to {max(t):.2f}" for how, t in times.items())
            print(f"{what}, {clock}: {one:.2f} s, without {other:.2f} s, "
                  f"{(one / other - 1):+.1%} ({spread})")  # fmt: skip


def measured(posts: int, how: str) -> list[Seconds]:
    """The seconds of a first backup of a new archive, and of an unchanged night after it."""
    world = World(lambda: datetime.now(UTC))
    for platform in PLATFORMS:
        world.account(platform).populate(posts)
    sockets = listen_on_loopback()
    found = []
    with tempfile.TemporaryDirectory() as name, running(application(world), sockets, quiet=True):
        world.origins = [origin_of(sock) for sock in sockets]
        config = write_config(Path(name), world, "changed")
        for _ in WHAT:
            for account in PLATFORMS:
                world.account(account).forget_answers()
            command = [sys.executable, "-m", "benchmarks.ledger", str(config), how]
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            wall, processor = map(float, done.stdout.split()[-2:])
            found.append((wall, processor))
    return found


@contextmanager
def _no_entry(_connection: object) -> Iterator[Callable[[], None]]:
    yield lambda: None


def back_up(config: Path, how: str) -> None:
    """Back up once, and print the seconds of the wall clock and of the processor."""
    if how == "without":
        vars(transactions)["ledger_entry"] = _no_entry
    before = time.process_time()
    seconds, report = backed_up(config)
    used = time.process_time() - before
    assert report.exit_code == 0, report
    print(seconds, used)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[2] in HOW:
        back_up(Path(sys.argv[1]), sys.argv[2])
    else:
        given = [int(each) for each in sys.argv[1:]]
        main(*(given + [300, 5][len(given) :]))
