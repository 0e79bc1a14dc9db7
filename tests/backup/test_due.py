"""Which accounts are due, by the clock of each stream."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from archiver.archive.scan_times import ScanTimes
from archiver.backup.due import ScheduledAccount, due_work, is_full_scan_due, next_scan
from archiver.models import timestamp
from archiver.settings import ArchiveSettings
from support.nights import nights

NOW = datetime(2026, 3, 2, 3, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
SETTINGS = ArchiveSettings()


def account(times: ScanTimes, *, has_stories: bool = False, name: str = "acme") -> ScheduledAccount:
    return ScheduledAccount(name, "test", has_stories, times)


def read(hours_ago: float, **changed: object) -> ScanTimes:
    at = timestamp(NOW - timedelta(hours=hours_ago))
    given = {"tried_at": at, "outcome": "done", "read_at": at}
    return ScanTimes(**given | changed)  # type: ignore[arg-type]  # each by its name


def is_due(times: ScanTimes, *, has_stories: bool = False) -> bool:
    return next_scan(account(times, has_stories=has_stories), SETTINGS, NOW) == NOW


def gaps(*, has_stories: bool, days: int = 30, jitter_s: int = 60) -> set[timedelta]:
    """The times between the scans of an account, where a scheduler calls every hour or so."""
    scans: list[datetime] = [NOW]
    for call in range(1, 24 * days):
        now = NOW + call * HOUR + timedelta(seconds=call * 37 % jitter_s)
        at = timestamp(scans[-1])
        times = ScanTimes(tried_at=at, outcome="done", read_at=at)
        if next_scan(account(times, has_stories=has_stories), SETTINGS, now) == now:
            scans.append(now)
    return {later - earlier for earlier, later in pairwise(scans)}


def test_stories_are_never_further_apart_than_eight_hours() -> None:
    assert max(gaps(has_stories=True)) <= timedelta(hours=8)


def test_posts_are_scanned_once_a_day_and_stay_at_their_hour() -> None:
    found = gaps(has_stories=False)
    assert max(found) - min(found) < timedelta(minutes=3)
    assert timedelta(hours=23, minutes=58) < min(found)


def test_a_new_account_and_one_whose_scan_was_stopped_are_due_at_once() -> None:
    assert is_due(ScanTimes())
    assert is_due(read(0.5, outcome="interrupted"))


def test_a_source_that_says_how_long_nothing_is_new_is_believed_for_two_days() -> None:
    later = {days: timestamp(NOW + timedelta(days=days)) for days in (1, 3)}
    assert not is_due(read(30, fresh_until=later[1]))
    assert is_due(read(30, fresh_until=later[3]))


def failed(hours_ago: float, code: str, *, late_by: float) -> ScanTimes:
    """An account whose last scan failed when it was late by so many hours."""
    read_at = NOW - timedelta(hours=hours_ago + late_by + 23.5)
    return read(hours_ago, outcome="failed", error_code=code, read_at=timestamp(read_at))


@pytest.mark.parametrize(("late_by", "wait"), [(0, 1), (1, 1), (2, 2), (8, 8), (100, 23.5)])
def test_what_passes_by_itself_is_tried_again_after_waits_that_double(
    late_by: float, wait: float
) -> None:
    assert is_due(failed(wait, "down", late_by=late_by))
    assert not is_due(failed(0.8 * wait, "down", late_by=late_by))


def test_a_refused_key_is_tried_once_a_day() -> None:
    assert not is_due(failed(20, "refused", late_by=0))
    assert is_due(failed(24, "refused", late_by=0))


def test_an_account_that_was_never_read_is_tried_every_four_hours() -> None:
    assert is_due(read(4, outcome="failed", error_code="down", read_at=None))
    assert not is_due(read(3, outcome="failed", error_code="down", read_at=None))


def test_a_time_in_the_future_was_written_by_a_wrong_clock() -> None:
    assert is_due(read(-24 * 400))


def test_nothing_due_says_which_account_is_next() -> None:
    both = [account(read(1), name="one"), account(read(5), name="two")]
    work = due_work(both, SETTINGS, NOW)
    assert not work
    assert (work.next_name, work.next_at) == ("two", NOW + timedelta(hours=18.5))


def test_files_that_wait_are_fetched_without_a_scan() -> None:
    waiting = read(2, has_pending_files=True, files_tried_at=timestamp(NOW - 2 * HOUR))
    work = due_work([account(waiting), account(read(2), name="other")], SETTINGS, NOW)
    assert (work.scan, work.files_only) == ((), ("acme",))
    assert not due_work([account(waiting)], SETTINGS, NOW, files=False)


def test_files_that_could_not_be_fetched_a_moment_ago_are_left_alone() -> None:
    at = timestamp(NOW - HOUR / 2)
    assert not due_work(
        [account(read(2, has_pending_files=True, files_tried_at=at))], SETTINGS, NOW
    )


def test_full_scans_of_accounts_added_on_one_day_are_spread_over_the_week() -> None:
    last = timestamp(NOW)
    nights_of: Counter[int] = Counter()
    for number in range(70):
        night = next(
            day for day in range(1, 8)
            if is_full_scan_due(f"account {number}", last, WEEK, NOW + timedelta(days=day))
        )  # fmt: skip
        nights_of[night] += 1
    assert set(nights_of) == set(range(1, 8)), "each account within a week"
    assert max(nights_of.values()) < 25, "and no night has them all"


def test_an_account_keeps_its_night_and_a_missed_one_is_made_up_for() -> None:
    fulls = []
    last = timestamp(NOW)
    for day in range(1, 60):
        now = NOW + timedelta(days=day)
        is_off = 20 <= day < 29
        if not is_off and is_full_scan_due("acme", last, WEEK, now):
            fulls.append(day)
            last = timestamp(now)
    usual = {day % 7 for day in fulls if day != 29}
    assert len(usual) == 1
    assert 29 in fulls, "the first night after the machine was off"


@pytest.mark.parametrize("last", [None, "2027-01-01T00:00:00.000Z"])
def test_without_a_full_scan_one_is_due(last: str | None) -> None:
    assert is_full_scan_due("acme", last, WEEK, NOW)


def test_without_an_interval_every_scan_is_full() -> None:
    assert is_full_scan_due("acme", timestamp(NOW), timedelta(), NOW)


def test_a_run_of_what_is_due_scans_in_full_when_the_account_s_moment_has_come(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "bluesky", "threads") as world:
        fulls = []
        for name in ("bluesky", "threads"):
            world.account(name).populate(2)
        for _ in range(15):
            report = world.backup(due=True)
            fulls.append({each.name for each in report.accounts if each.full})
            world.next_night()
    both = {"bluesky", "threads"}
    assert fulls[0] == both, "the first scan of an account is of all there is"
    for name in both:
        assert sum(name in each for each in fulls[1:]) == 2, "then once a week"
    assert both not in fulls[1:], "each in a night of its own"
