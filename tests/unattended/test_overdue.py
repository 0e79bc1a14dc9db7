"""What is due by rules of retention is told: in the digest, and as a warning once it is late."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archiver.archive.database import reader, writer
from archiver.archive.holds import place_hold_on_all
from archiver.binding import CalendarPeriod
from archiver.config import load_config
from archiver.models import time_text
from archiver.settings import RetentionRule
from archiver.unattended.health import Severity
from archiver.unattended.night_report import NightReport
from archiver.unattended.overdue import OVERDUE, due_news, overdue_concerns
from support.exporting import make_archive

RULE = RetentionRule("all", CalendarPeriod(10, "day"), "4.1")
DUE = datetime(2026, 3, 11, tzinfo=UTC)
"""When the first of the posts is due; the next is a day later."""
CONFIG = """
[archive]
directory = "archive"

[notify]
on_failure = ["env:ADDRESS"]
digest = true

[[retention]]
name = "all"
period = "10 days"
basis = "4.1"
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    make_archive(tmp_path)
    return tmp_path / "archive"


def concerns(archive: Path, now: datetime) -> list[tuple[str, Severity, str]]:
    with reader(archive) as connection:
        found = overdue_concerns(connection, [RULE], now)
        return [(each.cause, each.severity, each.text) for each in found]


def test_what_is_due_for_long_is_a_warning(archive: Path) -> None:
    day = timedelta(days=1)
    assert concerns(archive, DUE + OVERDUE) == []
    text = "1 post due by the retention rule all for more than 35 days"
    assert concerns(archive, DUE + OVERDUE + day) == [("retention:all", Severity.WARNING, text)]


def test_what_is_held_is_none(archive: Path) -> None:
    with writer(archive, create=False) as connection:
        place_hold_on_all(connection, "2026/17", "A claim", "counsel", time_text(DUE))
    assert concerns(archive, DUE + 9 * OVERDUE) == []
    with reader(archive) as connection:
        assert list(due_news(connection, [RULE], DUE + 9 * OVERDUE)) == []


def test_the_digest_counts_what_is_due(archive: Path) -> None:
    with reader(archive) as connection:
        assert list(due_news(connection, [RULE], DUE - timedelta(days=1))) == []
        assert list(due_news(connection, [RULE], DUE + OVERDUE)) == [
            "due by retention rules: 2 posts (2 by all)"
        ]
        assert list(due_news(connection, [], DUE + OVERDUE)) == []


def test_both_are_sent_after_a_run_but_not_by_a_wrong_clock(archive: Path) -> None:
    path = archive.parent / "archive.toml"
    path.write_text(CONFIG)
    sent: list[str] = []

    def send(_title: str, text: str) -> list[str]:
        sent.append(text)
        return []

    for is_wrong in (True, False):
        (archive.parent / "archive.alerts.json").unlink(missing_ok=True)
        report = NightReport(load_config(path), DUE + 2 * OVERDUE)
        assert report.send(clock_is_wrong=is_wrong, send_by=send) == []
    by_wrong_clock, by_right_clock = sent
    assert "retention rule" not in by_wrong_clock
    assert "2 posts due by the retention rule all for more than 35 days." in by_right_clock
    assert "due by retention rules: 2 posts (2 by all)." in by_right_clock
