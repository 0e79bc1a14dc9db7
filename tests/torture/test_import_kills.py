"""Killed before any of its system calls, an import is resumed by doing it again."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from support.exports.packing import write_zip
from support.exports.tweets import sample
from support.torture import faults, oracle, trace
from support.torture.rig import ARCHIVE, TINY, Rig, rig
from support.torture.trace import Point

MOMENTS = 2


@pytest.fixture(scope="module")
def world(strace: None) -> Iterator[Rig]:
    with rig(TINY) as made:
        yield made


def points_of(world: Rig, package: Path, place: Path) -> Sequence[Point]:
    """The calls of an import that runs to its end, but for those of the threads that copy files.

    A count of calls that it has made may strike such a thread too.
    """
    log = world.folder / "log"
    ended = world.run(
        place, "import", str(package), patches=["serial"], strace=trace.FULL_LOG, log=log
    )
    assert ended.code == 0, ended.stderr
    calls = list(trace.read_log(log))
    log.unlink()
    calls = [call for call in calls if call.thread == calls[0].thread]
    return trace.points(calls, str(place / ARCHIVE), str(place / "notes"))


def test_an_import_may_be_killed_before_any_of_its_calls(world: Rig) -> None:
    """A rename, and some of all other calls: none is like the others."""
    package = write_zip(world.folder / "x.zip", sample().files())
    with world.temporary_place() as place:
        every = points_of(world, package, place)
        whole = oracle.dump(place / ARCHIVE)
    renames = [point for point in every if point.name == "rename"]
    points = [renames[len(renames) // 2], *faults.sample(every, MOMENTS)]
    found = {str(point): killed(world, package, point, whole) for point in points}
    assert {point: words for point, words in found.items() if words} == {}


def killed(world: Rig, package: Path, point: Point, whole: oracle.Dump) -> list[str]:
    """What is wrong once an import was killed there and was done again."""
    inject = f"inject={point.name}:signal=KILL:when={point.ordinal}"
    with world.temporary_place() as place:
        ended = world.run(
            place, "import", str(package), patches=["serial"],
            strace=["-e", f"trace={point.name}", "-e", inject],
        )  # fmt: skip
        if ended.code not in {0, -9}:  # of the threads that copy files, each run has another order
            return [f"it ended with {ended.code}: {ended.stderr}"]
        again = world.run(place, "import", str(package))
        if again.code != 0:
            return [f"doing it again ended with {again.code}: {again.stderr}"]
        difference = oracle.difference(oracle.dump(place / ARCHIVE), whole)
        found = [f"not as without a kill: {difference}"] * bool(difference)
        left = [path.name for path in (place / ARCHIVE / "tmp").iterdir()]
        found += [f"left behind: {left}"] * bool(left)
        return found + world.verified(place)
