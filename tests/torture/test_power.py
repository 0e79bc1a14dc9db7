"""After a power cut at any moment, everything that was acknowledged is on the disk."""

import pytest

from support.torture import faults, power
from support.torture.rig import Rig

SHARDS = 2
MOST = 32


@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_power_may_fail_before_any_sync(tiny: Rig, shard: int) -> None:
    recording = faults.record(tiny)
    cuts = faults.sample([*power.cuts(recording.calls, recording.top, recording.base)], MOST)

    found = {str(lost): faults.cut(tiny, lost) for lost in cuts[shard::SHARDS]}

    assert {lost: words for lost, words in found.items() if words} == {}


def test_the_power_may_fail_where_the_whole_file_system_is_synced(tiny: Rig) -> None:
    recording = faults.record(tiny, ["at once"])
    cuts = faults.sample([*power.cuts(recording.calls, recording.top, recording.base)], MOST // 2)

    found = {str(lost): faults.cut(tiny, lost) for lost in cuts}

    assert [point.name for point in recording.points].count("syncfs") == 2
    assert {lost: words for lost, words in found.items() if words} == {}


def test_the_power_may_fail_in_the_run_after_one_that_was_killed(tiny: Rig) -> None:
    """What a killed run has written and not synced is no safer for the next run having seen it."""
    whole = faults.record(tiny)
    renames = [point for point in whole.points if point.name == "rename"]
    with tiny.temporary_place() as place:
        calls = faults.record_killed(tiny, place, renames[0])
        calls += faults.record_again(tiny, place)
        cuts = list(power.cuts(calls, str(place / "disk")))

        late = faults.telling(cuts)[:8]
        found = {str(lost): faults.cut(tiny, lost) for lost in late}

    assert {lost: words for lost, words in found.items() if words} == {}


def test_the_model_of_the_disk_agrees_with_the_disk(tiny: Rig) -> None:
    with tiny.temporary_place() as place:
        calls = faults.record_again(tiny, place)
        *_, last = power.cuts(calls, str(place / "disk"), variants=["all"])

        assert last.image == power.read_image(place / "disk")
