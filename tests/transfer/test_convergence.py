"""After any faults, clean runs end where a history without faults does."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from archiver import backup
from archiver.media.download import Downloader
from archiver.net import api, fetch
from transfer.convergence import Schedule, live_through, schedules
from transfer.test_faults import QUICK

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that are reached in a moment."""
    monkeypatch.setattr(backup, "Downloader", partial(Downloader, limits=QUICK))
    monkeypatch.setattr(fetch, "_TIMEOUTS", {**fetch._TIMEOUTS, "read": 0.4})
    monkeypatch.setattr(api, "_TIMEOUTS", {**api._TIMEOUTS, "read": 0.4})


@settings(
    max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(schedules)
def test_any_nights_end_as_nights_without_faults(schedule: Schedule) -> None:
    with TemporaryDirectory() as folder:
        assert live_through(Path(folder), schedule) == ""
