"""Which accounts a run by `archiver backup --due` has to scan, and which of them in full.

Each stream has a clock of its own: posts, stories (which expire after a day), and full scans. They
are read from the rows of earlier runs, so nothing is lost where a scheduler was dead.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from archiver.archive.scan_times import ScanTimes, scan_times
from archiver.config import Config, Registry
from archiver.errors import TEMPORARY
from archiver.human import parse_time
from archiver.settings import ArchiveSettings

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_RETRY = timedelta(minutes=50)
"""How long a failed account is left alone at first, and files that wait always: less than an hour,
so that a call every hour may try again."""

_NEVER_READ = timedelta(hours=4)  # of a failed account that was never read

_POSTS_SLACK = 48
_STORIES_SLACK = 6
"""A scan is due by so small a part of its interval too early: a call is never exactly on time. For
posts half an hour of a day; stories must not be late, so theirs leaves room for a call per hour."""

_MAX_FRESH = timedelta(days=2)  # a longer time was set by a wrong clock


class ScheduledAccount(Struct, frozen=True):
    """An account of the config as its scans are scheduled."""

    name: str
    source: str
    has_stories: bool
    times: ScanTimes


class DueWork(Struct, frozen=True):
    """What is to be done now: accounts to scan, and others of which only files are fetched.

    If it is nothing, `next_name` is the account that is due next, at `next_at`.
    """

    scan: tuple[str, ...] = ()
    files_only: tuple[str, ...] = ()
    next_name: str | None = None
    next_at: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.scan or self.files_only)


def scheduled_accounts(
    config: Config, plugins: Registry, names: Sequence[str], connection: sqlite3.Connection
) -> list[ScheduledAccount]:
    """The accounts of these names, or all. Raises UsageError, ConfigError, PluginError."""
    found: dict[tuple[str, str], bool] = {}
    for entry in config.select(names):
        source = config.source_of(entry, plugins)
        found[entry.name, source] = "stories" in plugins.platform(entry.platform, source).streams
    times = scan_times(connection, found)
    return [
        ScheduledAccount(*account, has_stories, times[account])
        for account, has_stories in found.items()
    ]


def due_work(
    accounts: Sequence[ScheduledAccount], settings: ArchiveSettings, now: datetime, *,
    files: bool = True,
) -> DueWork:  # fmt: skip
    """What is due; `files` says whether files that wait are to be fetched.

    All sources of an account are scanned together, so that their posts can be matched.
    """
    times: dict[str, datetime] = {}
    waiting: dict[str, None] = {}
    for account in accounts:
        due_at = next_scan(account, settings, now)
        times[account.name] = min(due_at, times.get(account.name, due_at))
        if files and _has_files_due(account.times, now):
            waiting[account.name] = None
    scan = tuple(name for name, due_at in times.items() if due_at <= now)
    files_only = tuple(name for name in waiting if name not in scan)
    if scan or files_only or not times:
        return DueWork(scan, files_only)
    name = min(times, key=lambda name: times[name])
    return DueWork(next_name=name, next_at=times[name])


def next_scan(account: ScheduledAccount, settings: ArchiveSettings, now: datetime) -> datetime:
    """When an account is due; `now` where that is not later.

    Times in the future were written by a wrong clock, and count as never.
    """
    times = account.times
    if times.was_stopped:
        return now
    read_at = _past(times.read_at, now)
    due_at = None
    if read_at is not None:
        due_at = read_at + _interval(settings, has_stories=account.has_stories)
        fresh_until = parse_time(times.fresh_until)
        if fresh_until is not None and fresh_until <= now + _MAX_FRESH:
            due_at = max(due_at, fresh_until)
    tried_at = _past(times.tried_at, now)
    if tried_at is not None and times.outcome == "failed":
        return max(now, tried_at + _wait_after_failure(times, settings, tried_at, due_at))
    return max(now, due_at or now)


def _wait_after_failure(
    times: ScanTimes, settings: ArchiveSettings, tried_at: datetime, due_at: datetime | None
) -> timedelta:
    """How long a failed account is left alone: as long as it is late, so each wait doubles it.

    What does not pass by itself, such as a refused key, is tried once in the interval of posts.
    """
    longest = _posts_interval(settings)
    if times.error_code not in TEMPORARY:
        return longest
    late_by = _NEVER_READ if due_at is None else tried_at - due_at
    return min(longest, max(_RETRY, late_by))


def is_full_scan_due(
    account: str, last_full_at: str | None, every: timedelta, now: datetime
) -> bool:
    """Whether an account's moment for a full scan has come since the last one.

    The moment is a different one within `every` for each account, by its name: so accounts that
    were added on one day are not all scanned in full in one night ever after.
    """
    last = _past(last_full_at, now)
    if last is None or not every:
        return True
    digest = hashlib.sha256(account.encode()).digest()
    offset = every * (int.from_bytes(digest[:4]) / (1 << 32))
    return (now - _EPOCH - offset) // every > (last - _EPOCH - offset) // every


def _interval(settings: ArchiveSettings, *, has_stories: bool) -> timedelta:
    posts = _posts_interval(settings)
    if not has_stories:
        return posts
    return min(posts, settings.stories_every - settings.stories_every / _STORIES_SLACK)


def _posts_interval(settings: ArchiveSettings) -> timedelta:
    return settings.posts_every - settings.posts_every / _POSTS_SLACK


def _has_files_due(times: ScanTimes, now: datetime) -> bool:
    tried_at = _past(times.files_tried_at, now)
    return times.has_pending_files and (tried_at is None or now - tried_at >= _RETRY)


def _past(moment: str | None, now: datetime) -> datetime | None:
    """A time, unless it lies in the future."""
    parsed = parse_time(moment)
    return None if parsed is None or parsed > now else parsed
