"""A call that fails ends the run with code 6 and a sentence, or is got over; nothing is lost."""

import pytest

from support.torture import faults
from support.torture.rig import Rig

SHARDS = 2
POINTS = 18


@pytest.mark.parametrize("shard", range(SHARDS))
def test_any_call_may_fail(tiny: Rig, shard: int) -> None:
    """Every kind of call, with each error in turn; `make torture` has all with all."""
    recording = faults.record(tiny)
    rare = [point for point in recording.points if point.name != "pwrite64"]
    writes = [point for point in recording.points if point.name == "pwrite64"]
    points = faults.sample(rare, POINTS) + faults.sample(writes, POINTS // 4)

    found = {}
    for number, point in list(enumerate(points))[shard::SHARDS]:
        error = faults.ERRORS[(number // SHARDS + shard) % len(faults.ERRORS)]
        words = faults.fail(tiny, point, error, lasting=number % 3 == 0)
        found[f"{point} {error}"] = words

    assert {point: words for point, words in found.items() if words} == {}


def test_a_sync_of_the_whole_file_system_may_fail(tiny: Rig) -> None:
    """Then each file is synced, which tells whose bytes were not written."""
    patches = ["at once"]
    syncs = [point for point in faults.record(tiny, patches).points if point.name == "syncfs"]

    found = {str(point): faults.fail(tiny, point, "EIO", patches) for point in syncs}

    assert found == {"syncfs 1": [], "syncfs 2": []}
