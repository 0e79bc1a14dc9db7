"""What the ledger costs a backup: `python -m benchmarks.ledger [POSTS PER ACCOUNT [ROUNDS]]`.

The demo's world is backed up over loopback by `archiver backup`, a first time and then twice
unchanged, in turns with the ledger and without. Without is for this measurement alone: its
transactions note nothing and write no entry, and nothing is signed. Whole processes are measured,
from their start to their end. Medians are printed, also of the ratio of each turn to its neighbour,
which a machine that slows down does not change, and the worst and best of each. What the ledger's
own functions and the signing take is timed as well, inside of the runs that have them: a share of a
few hundredths is less than the difference of two equal runs.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from archiver.webserver import listen_on_loopback, origin_of, running
from archiver_ayrshare.demo.app import application
from archiver_ayrshare.demo.world import World
from benchmarks.costs import PLATFORMS, write_config
from benchmarks.environment import ROOT

WHAT = ("first backup", "night without news")
HOW = ("with", "without")
Seconds = tuple[float, float, float]
"""Of the wall clock, of the processor, and of the wall clock inside of the ledger."""


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
            found.append((what, way, backed_up(config, way)))
    return found


def backed_up(config: Path, how: str) -> Seconds:
    """Run one backup."""
    used, begin = _processor_seconds(), time.monotonic()
    command = [sys.executable, "-m", "benchmarks.clients.ledger", str(config), how]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    wall = time.monotonic() - begin
    return wall, _processor_seconds() - used, float(done.stdout.split()[-1])


def _processor_seconds() -> float:
    """What the processes that have ended here took."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(*(given + [300, 5][len(given) :]))
