"""One fault of each kind, and what must hold after it: killed, failed, cut off from power."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

from support.torture import oracle, power, trace
from support.torture.patches import COUNTED
from support.torture.rig import ARCHIVE, SERIAL, Ended, Rig
from support.torture.trace import Call, Point

T = TypeVar("T")

COPY = "disk/copy"
"""Where the copy of a place is."""

COPYING: dict[str, tuple[list[tuple[str, ...]], tuple[str, ...]]] = {
    "a first copy": ([], ("copy", COPY)),
    "a renewed copy": (
        [("copy", COPY), ("verify", COPY), ("backup", "--now")], ("copy", COPY)
    ),
    "verify of a copy": ([("copy", COPY)], ("verify", COPY)),
}  # fmt: skip
"""What is killed beside backups: the commands that lead there, and the one that is struck."""

ERRORS = ("ENOSPC", "EIO", "EROFS", "EDQUOT")

_STORAGE = 6
_BUG = 1


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole run without faults: its calls, and the folder that the disk was in."""

    calls: Sequence[Call]
    points: Sequence[Point]
    top: str
    base: power.Image


def record(rig: Rig, patches: Sequence[str] = (), base: Path | None = None) -> Recording:
    """Run a backup to its end, and write down its calls."""
    log = rig.folder / "log"
    with rig.temporary_place(base) as place:
        before = power.read_image(place / "disk")
        ended = rig.run(
            place, "backup", patches=(*SERIAL, *patches), strace=trace.FULL_LOG, log=log
        )
        assert ended.code == 0, ended.stderr
        calls = list(trace.read_log(log))
        log.unlink()
        points = trace.points(calls, str(place / ARCHIVE), str(place / "notes"))
        return Recording(calls, points, str(place / "disk"), before)


def kill_at(rig: Rig, place: Path, point: Point, patches: Sequence[str] = ()) -> Ended:
    """Kill a run there just before a call."""
    inject = f"{point.name}:signal=KILL:when={point.ordinal}"
    return rig.run(place, "backup", patches=(*SERIAL, *patches), strace=_strace(point, inject))


def record_killed(rig: Rig, place: Path, point: Point) -> list[Call]:
    """Kill a run there just before a call, and write down the calls that it made."""
    inject = f"inject={point.name}:signal=KILL:when={point.ordinal}"
    return _recorded(rig, place, "-e", inject)


def record_again(rig: Rig, place: Path) -> list[Call]:
    """Run a backup there, and write down its calls."""
    return _recorded(rig, place)


def _recorded(rig: Rig, place: Path, *options: str) -> list[Call]:
    log = place / "log"
    rig.run(place, "backup", patches=SERIAL, strace=[*trace.FULL_LOG, *options], log=log)
    return list(trace.read_log(log))


def kill(
    rig: Rig, point: Point, patches: Sequence[str] = (), base: Path | None = None
) -> list[str] | None:
    """Kill a run just before a call; what is wrong afterwards. None: it ended before that."""
    with rig.temporary_place(base) as place:
        ended = kill_at(rig, place, point, patches)
        if ended.code == 0:
            return None
        if ended.code != -9:
            return [f"it ended with {ended.code}: {ended.stderr}"]
        return rig.after_fault(place, oracle.acknowledged(place / "notes"))


def fail(
    rig: Rig, point: Point, error: str, patches: Sequence[str] = (), *, lasting: bool = False,
    base: Path | None = None,
) -> list[str] | None:  # fmt: skip
    """Let one call fail, or it and all later ones of its name; what is wrong afterwards.

    The run must end with code 6 and a sentence, or get over it and miss nothing.
    None: it ended before that call.
    """
    with rig.temporary_place(base) as place:
        inject = f"{point.name}:error={error}:when={point.ordinal}{'+' if lasting else ''}"
        log = place / "log"
        ended = rig.run(
            place, "backup", patches=(*SERIAL, *patches), strace=_strace(point, inject), log=log
        )
        if "(INJECTED)" not in log.read_text(errors="replace"):
            return None
        found = []
        if ended.code == 0:
            found += rig.compared(place)
            # the kernel may have dropped the bytes, so that no later success counts
            if point.name == "fsync":
                found.append("a sync that failed was believed in the end")
        elif ended.code != _STORAGE:
            found.append(f"it ended with {ended.code}: {ended.stdout}{ended.stderr}")
        elif "Error: " not in ended.stderr and not _is_silenced(point):
            found.append("it ended with 6 and no sentence")
        if "Traceback" in ended.stderr:
            found.append(f"a traceback: {ended.stderr}")
        return found + rig.after_fault(place, oracle.acknowledged(place / "notes"))


def _is_silenced(point: Point) -> bool:
    """Whether the fault also struck the sentence itself on its way to stderr."""
    return point.name == "write"


def cut(rig: Rig, lost: power.Cut) -> list[str]:
    """Start from what a power cut left; what is wrong with it."""
    with rig.temporary_place() as place:
        shutil.rmtree(place / "disk")
        (place / "disk").mkdir()
        power.write_image(lost.image, place / "disk")
        promised = dict.fromkeys(COUNTED, 0) | json.loads(lost.promised)
        return rig.after_fault(place, promised)


def before_copying(rig: Rig, what: str) -> Path:
    """A disk on which a command of `COPYING` can be run."""
    shutil.rmtree(rig.folder / what, ignore_errors=True)
    base = rig.good_run(rig.folder / what)
    with rig.temporary_place(base) as place:
        for args in COPYING[what][0]:
            ended = rig.run(place, *args)
            assert ended.code == 0, ended.stderr
        shutil.rmtree(base)
        return (place / "disk").rename(base)


def record_copying(rig: Rig, what: str, base: Path) -> Recording:
    """Run such a command to its end, and write down its calls."""
    log = rig.folder / "log"
    with rig.temporary_place(base) as place:
        before = power.read_image(place / "disk")
        # the power model knows files by the paths that they are opened with
        args = [str(place / word) if word == COPY else word for word in COPYING[what][1]]
        ended = rig.run(place, *args, patches=["serial"], strace=trace.FULL_LOG, log=log)
        assert ended.code == 0, ended.stderr
        calls = list(trace.read_log(log))
        log.unlink()
        points = trace.points(calls, str(place / "disk"), str(place / "notes"))
        return Recording(calls, points, str(place / "disk"), before)


def kill_copying(rig: Rig, what: str, base: Path, point: Point) -> list[str] | None:
    """Kill such a command just before a call; what is wrong afterwards. None: it ended before."""
    with rig.temporary_place(base) as place:
        inject = f"{point.name}:signal=KILL:when={point.ordinal}"
        args = COPYING[what][1]
        ended = rig.run(place, *args, patches=["serial"], strace=_strace(point, inject))
        if ended.code == 0:
            return None
        if ended.code != -9:
            return [f"it ended with {ended.code}: {ended.stderr}"]
        return _after_copying(rig, what, place)


def cut_copying(rig: Rig, what: str, base: Path, lost: power.Cut) -> list[str]:
    """Start from what a power cut during such a command left; what is wrong with it."""
    with rig.temporary_place(base) as place:
        shutil.rmtree(place / "disk")
        (place / "disk").mkdir()
        power.write_image(lost.image, place / "disk")
        return _after_copying(rig, what, place)


def _after_copying(rig: Rig, what: str, place: Path) -> list[str]:
    """What is wrong after it; remembered for a state, since many faults leave the same."""
    left = (what, oracle.state(place / ARCHIVE)[0], oracle.state(place / COPY)[0])
    if left not in rig.known_copies:
        rig.known_copies[left] = _found_after_copying(rig, what, place)
    return rig.known_copies[left]


def _found_after_copying(rig: Rig, what: str, place: Path) -> list[str]:
    """Both are sound, or the copy was never finished; and a new copy leaves nothing behind."""
    found = []
    for args, codes in (
        (("verify", COPY), {0, _STORAGE} if what == "a first copy" else {0}),
        (("copy", COPY), {0}),
        (("verify", COPY), {0}),
        (("verify",), {0}),
    ):
        ended = rig.run(place, *args)
        if ended.code not in codes or "leftover" in ended.stdout:
            found.append(f"{args} ended with {ended.code}: {ended.stdout}{ended.stderr}")
    entries = {path.name for path in (place / COPY).iterdir()}
    more = entries - {".lock", "archive.db", "archive.db-wal", "archive.db-shm", "media", "tmp"}
    return found + [f"left behind: {name}" for name in sorted(more)]


def _strace(point: Point, inject: str) -> list[str]:
    return ["-e", f"trace={point.name}", "-e", f"inject={inject}"]


_TELLING = ("nothing", "bytes", "names", "half", "last", "zeros", "all")
"""Variants of images, those first that show most."""


def telling(cuts: Sequence[power.Cut]) -> list[power.Cut]:
    """Those images first that show most: the latest, with nothing of what was not synced."""
    return sorted(cuts, key=lambda lost: (_TELLING.index(lost.variant), -lost.step))


def latest(cuts: Sequence[power.Cut]) -> list[power.Cut]:
    """The latest image of every variant first, then the ones before."""
    turns = {variant: count() for variant in _TELLING}
    cuts = sorted(cuts, key=lambda lost: -lost.step)
    return sorted(cuts, key=lambda lost: (next(turns[lost.variant]), _TELLING.index(lost.variant)))


def sample(items: Sequence[T], most: int) -> list[T]:
    """So many of them, evenly: the first and the last among them."""
    if len(items) <= most:
        return list(items)
    step = (len(items) - 1) / (most - 1)
    return [items[round(k * step)] for k in range(most)]


def hunt(rig: Rig, mutant: str, most: int = 40) -> Iterator[list[str]]:
    """What every means finds against a broken rule, in turns, the most telling moments first."""
    recording = record(rig, (mutant,))
    cuts = list(power.cuts(recording.calls, recording.top, recording.base))
    syncs = [point for point in recording.points if point.name in {"fsync", "syncfs"}]
    moments = [
        point for point in recording.points if point.name in {"rename", "fsync", "syncfs", "unlink"}
    ]
    tried: set[str] = set()

    def images(order: Sequence[power.Cut]) -> Iterator[list[str]]:
        for lost in order:
            if str(lost) not in tried:
                tried.add(str(lost))
                yield cut(rig, lost)

    means: list[Iterator[list[str]]] = [
        # all, in two orders: what shows that a rule is broken can be in one image of forty
        images(telling(cuts)),
        images(latest(cuts)),
        (fail(rig, point, "EIO", (mutant,)) or [] for point in sample(syncs, 4)),
        (kill(rig, point, (mutant,)) or [] for point in moments + sample(recording.points, most)),
    ]
    while means:
        for trials in list(means):
            found = next(trials, None)
            if found is None:
                means.remove(trials)
            else:
                yield found
