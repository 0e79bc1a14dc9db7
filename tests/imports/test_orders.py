"""Nights of the API and exports in any order: each post once, each file once, nothing made up."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.exports.orders import MAKERS, Step, lived_through

WHAT = ("publish", "edit", "remove", "night", "night", "year", "export", "export", "import")
steps = st.lists(
    st.builds(Step, st.sampled_from(WHAT), st.integers(0, 7)), min_size=4, max_size=14
)  # fmt: skip
ANY_ORDER = settings(
    deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip


def shorthand(text: str) -> list[Step]:
    """Steps by their words."""
    return [Step(word.rstrip("0123456789"), int(word[-1]) if word[-1].isdigit() else 0)
            for word in text.split()]  # fmt: skip


@pytest.mark.parametrize("platform", MAKERS)
@pytest.mark.parametrize(
    "order",
    [
        "publish2 export import publish3 night edit0 night export import1",
        "export publish3 night edit1 night remove0 night year export import1 import0 night",
    ],
)
def test_the_api_and_two_exports_a_year_apart_make_one_archive(
    tmp_path: Path, platform: str, order: str
) -> None:
    with lived_through(tmp_path, platform, shorthand(order)) as lived:
        assert lived.faults() == []


@pytest.mark.slow
@pytest.mark.parametrize("platform", MAKERS)
@settings(ANY_ORDER, max_examples=6)
@given(steps=steps)
def test_any_order_of_nights_and_exports_makes_one_archive(
    platform: str, steps: list[Step]
) -> None:
    with TemporaryDirectory() as folder, lived_through(Path(folder), platform, steps) as lived:
        assert lived.faults() == []
