"""Killed before any of its system calls, a run has lost nothing, and the next one finishes."""

from itertools import count

import pytest

from support.torture import faults, oracle
from support.torture.rig import SERIAL, Rig

SHARDS = 2
PAGE_WRITES = 6


@pytest.fixture(scope="module")
def recording(tiny: Rig) -> faults.Recording:
    return faults.record(tiny)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_run_may_be_killed_before_any_of_its_calls(
    tiny: Rig, recording: faults.Recording, shard: int
) -> None:
    """Every call but SQLite's hundreds of page writes, of which some; `make torture` has all."""
    rare = [point for point in recording.points if point.name != "pwrite64"]
    writes = [point for point in recording.points if point.name == "pwrite64"]
    points = (rare + faults.sample(writes, PAGE_WRITES))[shard::SHARDS]

    found = {str(point): faults.kill(tiny, point) for point in points}

    assert {point: words for point, words in found.items() if words} == {}
    assert None not in found.values(), "a recorded run and a killed one make the same calls"


def test_a_run_that_adds_to_an_archive_may_be_killed_too(second_night: Rig) -> None:
    points = faults.sample(faults.record(second_night).points, 10)

    found = {str(point): faults.kill(second_night, point) for point in points}

    assert {point: words for point, words in found.items() if words} == {}


def test_a_run_may_be_killed_before_it_syncs_the_whole_file_system(tiny: Rig) -> None:
    patches = ["at once"]
    points = faults.record(tiny, patches).points
    syncs = [place for place, point in enumerate(points) if point.name == "syncfs"]
    around = [point for place in syncs for point in points[place : place + 2]]

    found = {str(point): faults.kill(tiny, point, patches) for point in around}

    assert len(found) == 4
    assert [words for words in found.values() if words != []] == []


def test_a_run_with_a_limit_may_be_killed_between_any_two_commits(
    tiny: Rig,
) -> None:
    found = {}
    for ordinal in count(1):
        with tiny.temporary_place() as place:
            inject = f"inject=fdatasync:signal=KILL:when={ordinal}"
            ended = tiny.run(
                place, "backup", "--limit", "1", "--no-media", patches=SERIAL,
                strace=["-e", "trace=fdatasync", "-e", inject],
            )  # fmt: skip
            if ended.code != -9:
                break
            found[ordinal] = tiny.verified(place)

    assert ordinal > 10
    assert {ordinal: words for ordinal, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("name", "ordinal"), [("fsync", 1), ("fsync", 4), ("rename", 1), ("pwrite64", 200)]
)
def test_with_all_its_threads_it_may_be_killed_too(tiny: Rig, name: str, ordinal: int) -> None:
    """The tracer counts per thread here: the first thread to get that far ends it for all."""
    with tiny.temporary_place() as place:
        inject = f"inject={name}:signal=KILL:when={ordinal}"
        options = ["-e", f"trace={name}", "-e", inject]
        ended = tiny.run(place, "backup", patches=["witness"], strace=options)

        assert ended.code == -9
        assert tiny.after_fault(place, oracle.acknowledged(place / "notes")) == []


def test_two_kills_in_a_row_are_survived(tiny: Rig, recording: faults.Recording) -> None:
    """The second one strikes while the next run clears up."""
    middle = recording.points[len(recording.points) // 2]
    with tiny.temporary_place() as place:
        assert faults.kill_at(tiny, place, middle).code == -9
        again = faults.record(tiny, base=place / "disk")
        points = faults.sample(again.points, 4)

        found = {str(point): faults.kill(tiny, point, base=place / "disk") for point in points}

    assert {point: words for point, words in found.items() if words} == {}
