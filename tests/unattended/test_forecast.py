"""How long the disk lasts, by the sizes of past runs."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archiver.archive import runs
from archiver.archive.database import writer
from archiver.models import timestamp
from archiver.unattended.forecast import (
    Growth,
    forecast_concerns,
    forecast_text,
    growth,
    weeks_left,
)

NOW = datetime(2026, 6, 1, 3, 17, tzinfo=UTC)
GB = 1_000_000_000


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with writer(tmp_path) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        yield connection


def run(connection: sqlite3.Connection, days_ago: float, received: int) -> None:
    at = timestamp(NOW - timedelta(days=days_ago)) or ""
    run_id = runs.begin_run(connection, at, "test", {})
    runs.end_run(
        connection, run_id, at, outcome="done", exit_code=0, accounts={}, received=received
    )


def nightly(connection: sqlite3.Connection, weeks: int, received: int = GB) -> None:
    for day in range(7 * weeks, 0, -1):
        run(connection, day - 0.5, received)


def test_the_first_run_does_not_count_and_a_busy_week_does_not_change_the_usual_one(
    connection: sqlite3.Connection,
) -> None:
    run(connection, 60, 500 * GB)
    nightly(connection, 8)
    run(connection, 10, 70 * GB)
    found = growth(connection, NOW)
    assert found is not None
    assert found.usual == 7 * GB
    assert found.busiest == 77 * GB


def test_less_than_four_weeks_are_too_few_to_judge_by(connection: sqlite3.Connection) -> None:
    run(connection, 40, GB)
    nightly(connection, 3)
    assert growth(connection, NOW) is None
    assert "after five weeks" in forecast_text(None, GB)


def test_only_the_last_twelve_weeks_are_looked_at(connection: sqlite3.Connection) -> None:
    run(connection, 300, GB)
    nightly(connection, 20)
    found = growth(connection, NOW)
    assert found is not None
    assert found.weeks in {11, 12}
    assert found.usual == 7 * GB


def test_runs_by_a_wrong_clock_are_left_out(connection: sqlite3.Connection) -> None:
    run(connection, 60, GB)
    nightly(connection, 6)
    before = growth(connection, NOW)
    run(connection, -400, 900 * GB)
    assert growth(connection, NOW) == before


def test_weeks_without_growth_last_for_ever() -> None:
    assert weeks_left(GB, 0) is None
    assert weeks_left(-GB, GB) == 0
    assert weeks_left(10 * GB, GB) == 10
    assert not list(forecast_concerns(Growth(0, GB, 12), GB))


def test_a_disk_that_is_full_within_four_weeks_is_a_warning_and_later_is_none() -> None:
    found = Growth(GB, 3 * GB, 12)
    (concern,) = forecast_concerns(found, 3 * GB)
    assert concern.text == "the disk has room for 3 weeks of new files, by the usual week"
    assert list(forecast_concerns(found, 4 * GB)) == []
    assert list(forecast_concerns(None, 0)) == []


def test_it_says_how_sure_it_is() -> None:
    text = forecast_text(Growth(GB, 3 * GB, 12), 30 * GB)
    assert "about 30 weeks at the usual 1.0 GB a week" in text
    assert "about 10 weeks at the 3.0 GB of the busiest" in text
    assert "are not in that" in text
