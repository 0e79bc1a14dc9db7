"""The tests of durability are tested: each rule of it, broken on purpose, must show.

A rule whose absence nothing finds is either not needed or not tested.
"""

import pytest

from support.torture import faults, patches, power
from support.torture.rig import Rig


@pytest.mark.parametrize("mutant", patches.MUTANTS)
def test_a_broken_rule_is_found_out(request: pytest.FixtureRequest, mutant: str) -> None:
    scene = "second_night" if mutant in patches.SECOND_NIGHT else "tiny"
    assert any(faults.hunt(request.getfixturevalue(scene), mutant)), (
        f"nothing finds out that there is: {mutant}"
    )


def test_the_program_itself_has_nothing_to_be_found(tiny: Rig) -> None:
    recording = faults.record(tiny)
    cuts = faults.telling(list(power.cuts(recording.calls, recording.top, recording.base)))

    assert [faults.cut(tiny, lost) for lost in cuts[:4]] == [[]] * 4
