"""Broken off at any of its system calls, a copy is still one, and the next copy finishes it."""

import pytest

from support.torture import faults, power
from support.torture.rig import Rig

MOMENTS = 3


@pytest.mark.parametrize("what", faults.COPYING)
def test_a_copy_may_be_killed_while_it_is_made_or_read(tiny: Rig, what: str) -> None:
    """Every rename and unlink, and some of all other calls; `make torture` has all."""
    base = faults.before_copying(tiny, what)
    points = faults.record_copying(tiny, what, base).points
    rare = [point for point in points if point.name in {"rename", "unlink"}]
    points = list(dict.fromkeys([*rare, *faults.sample(points, MOMENTS)]))

    found = {str(point): faults.kill_copying(tiny, what, base, point) for point in points}

    assert {point: words for point, words in found.items() if words} == {}
    assert None not in found.values(), "a recorded command and a killed one make the same calls"


@pytest.mark.parametrize("what", faults.COPYING)
def test_the_power_may_go_while_a_copy_is_made_or_read(tiny: Rig, what: str) -> None:
    base = faults.before_copying(tiny, what)
    recording = faults.record_copying(tiny, what, base)
    cuts = list(power.cuts(recording.calls, recording.top, recording.base))

    found = {
        str(lost): faults.cut_copying(tiny, what, base, lost)
        for lost in faults.sample(cuts, MOMENTS)
    }

    assert {lost: words for lost, words in found.items() if words} == {}
