"""After any faults, clean runs end where a history without faults does."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from support.transfer.convergence import Schedule, live_through, schedules

pytestmark = pytest.mark.slow


@settings(
    max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(schedules)
def test_any_nights_end_as_nights_without_faults(schedule: Schedule) -> None:
    with TemporaryDirectory() as folder:
        assert live_through(Path(folder), schedule) == ""
