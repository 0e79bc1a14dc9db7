"""Counts that are too slow to query for every page: kept in memory and updated.

Posts are never deleted and their ids only grow, so posts per account, kind and month are counted
once, from an index alone, and after that only the new ones. What changes in old posts (edits,
removals, files) is counted again when the file has changed, but at most a twentieth of the time is
spent on that. The size of the media may be a minute old.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from archiver.browse.states import in_state

_STALE_AFTER = 60.0  # seconds
_MOST_MONTHLY = 8
_SHARE = 20  # counting again may take one in so many seconds
MOST_FLAGGED = 50_000
"""Of more posts than these, it is not counted how many are edited, removed, or have media."""

Group = tuple[int, str, str]
"""An account's id, a kind, and `2026-03` (or a day); an empty string for posts without a time."""


@dataclass(frozen=True, slots=True)
class MonthlyPosts:
    """Posts by month: of each account and kind, and of all of them."""

    pairs: Mapping[tuple[int, str], Mapping[str, int]]
    all: Mapping[str, int]

    @classmethod
    def of(cls, groups: Counter[Group]) -> "MonthlyPosts":
        """The groups, sorted by what they are of."""
        pairs: dict[tuple[int, str], dict[str, int]] = {}
        months: Counter[str] = Counter()
        for (account, kind, month), count in groups.items():
            pairs.setdefault((account, kind), {})[month] = count
            months[month] += count
        return cls(pairs, months)


Counted = TypeVar("Counted")

_MONTH_LENGTH, _DAY_LENGTH = len("2026-03"), len("2026-03-01")
_GROUPED = (
    "SELECT account_id, kind, substr(coalesce(created_at, ''), 1, {length}), count(*) FROM posts "
    "WHERE {condition} GROUP BY 1, 2, 3"
)
_GROUPED_FEW = _GROUPED.replace("account_id, kind", "+account_id, +kind")
"""The same of few posts: the unary plus keeps SQLite from reading all of them in that order."""
_FLAGGED = {
    "edited": "edited_at IS NOT NULL",
    "removed": "removed_at IS NOT NULL",
    "omitted": (
        "id IN (SELECT post_id FROM renditions JOIN attachments ON attachments.id = attachment_id "
        f"WHERE {in_state('omitted')})"
    ),
    "media": (
        "EXISTS (SELECT 1 FROM attachments JOIN renditions ON attachment_id = attachments.id "
        "WHERE post_id = posts.id AND state = 'stored')"
    ),
}
"""The SQL condition of posts with each flag of a filter."""
_MATCHING = {
    "edited": "posts WHERE edited_at IS NOT NULL",
    "removed": "posts WHERE removed_at IS NOT NULL",
    "omitted": f"renditions WHERE {in_state('omitted')}",
    "media": "posts",
}
"""What has to be read for a flag: to be counted before it is read."""


_COUNTED_BY = {"timeline": "posts"}
"""Views that have a row for each row of a table, which is counted much faster."""


@dataclass
class _Kept(Generic[Counted]):
    """A count, and the state of the file that it was counted in."""

    value: Counted
    file: tuple[int, ...]
    again_at: float


@dataclass(frozen=True)
class _Flagged:
    """The posts that have a flag, by account, kind and month; and the same by day."""

    months: Counter[Group]
    days: Counter[Group]

    @classmethod
    def of(cls, days: Counter[Group]) -> "_Flagged":
        months: Counter[Group] = Counter()
        for (account, kind, day), count in days.items():
            months[account, kind, day[:_MONTH_LENGTH]] += count
        return cls(months, days)


@dataclass
class Tally:
    """The counts of one archive. Safe to use from any thread."""

    _groups: Counter[Group] = field(default_factory=Counter)
    _last_post: int = 0
    _files: tuple[int, int] = (0, 0)
    _count_again_at: float = 0.0
    _kept: dict[str, _Kept[object]] = field(default_factory=dict)
    _monthly: list[tuple[Counter[Group], MonthlyPosts]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def posts(self, connection: sqlite3.Connection) -> Counter[Group]:
        """Posts per account, kind and month. Not to be changed by the caller."""
        with self._lock:
            last = connection.execute("SELECT coalesce(max(id), 0) FROM posts").fetchone()[0]
            if last < self._last_post:  # the file was replaced
                self._groups = Counter()
                self._last_post = 0
            if last > self._last_post:
                where = "id > :since AND id <= :last" if self._last_post else "1"
                rows = connection.execute(
                    _GROUPED.format(length=_MONTH_LENGTH, condition=where),
                    {"since": self._last_post, "last": last} if self._last_post else {},
                )
                self._groups = self._groups + _counter(rows)
                self._last_post = last
            return self._groups

    def monthly(self, groups: Counter[Group]) -> MonthlyPosts:
        """Groups by their months; those that were asked for last are kept, since none changes."""
        kept = list(self._monthly)
        found = next((monthly for known, monthly in kept if known is groups), None)
        if found is None:
            found = MonthlyPosts.of(groups)
            self._monthly = [*kept, (groups, found)][-_MOST_MONTHLY:]
        return found

    def flagged(self, connection: sqlite3.Connection, flag: str) -> Counter[Group] | None:
        """The same of the posts that have a flag of `filters.FLAGS`; None where they are many."""
        found = self._flagged(connection, flag)
        return found.months if found else None

    def flagged_on(
        self, connection: sqlite3.Connection, flag: str, since: str, before: str
    ) -> Counter[tuple[int, str]]:
        """How many posts of some days have a flag, by account and kind.

        Both bounds begin as times do. Nothing where posts with that flag are too many to count.
        """
        flagged = self._flagged(connection, flag)
        found: Counter[tuple[int, str]] = Counter()
        for (account, kind, day), count in flagged.days.items() if flagged else ():
            if since <= day < before:
                found[account, kind] += count
        return found

    def _flagged(self, connection: sqlite3.Connection, flag: str) -> "_Flagged | None":
        def count() -> _Flagged | None:
            many = connection.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM {_MATCHING[flag]} LIMIT {MOST_FLAGGED + 1})"
            ).fetchone()[0]
            if many > MOST_FLAGGED:
                return None
            query = _GROUPED_FEW.format(length=_DAY_LENGTH, condition=_FLAGGED[flag])
            return _Flagged.of(_counter(connection.execute(query)))

        return self.kept(connection, flag, count)

    def rows(self, connection: sqlite3.Connection, table: str) -> int | None:
        """How many rows a table or view has; None where the time limit was too short to count."""

        def count() -> int | None:
            name = _COUNTED_BY.get(table, table).replace('"', '""')
            try:
                found = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()
            except sqlite3.OperationalError as error:
                if "interrupted" not in str(error):
                    raise
                return None
            return int(found[0])

        return self.kept(connection, f"rows of {table}", count)

    def kept(
        self, connection: sqlite3.Connection, name: str, count: Callable[[], Counted]
    ) -> Counted:
        """A count under a name: as it was, or anew where the file has changed since."""
        file = _file_state(connection)
        with self._lock:
            kept = self._kept.get(name)
            now = time.monotonic()
            if kept and (kept.file == file or now < kept.again_at):
                return kept.value  # type: ignore[return-value] # a name has one type of count
            value = count()
            took = time.monotonic() - now
            self._kept[name] = _Kept(value, file, now + took * (1 + _SHARE))
            return value

    def files(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """Number and total bytes of the media files."""
        with self._lock:
            if time.monotonic() >= self._count_again_at:
                query = "SELECT count(*), coalesce(sum(size), 0) FROM media WHERE lost_at IS NULL"
                row = connection.execute(query)
                self._files = tuple(row.fetchone())
                self._count_again_at = time.monotonic() + _STALE_AFTER
            return self._files


def _counter(rows: sqlite3.Cursor) -> Counter[Group]:
    return Counter({(row[0], row[1], row[2]): row[3] for row in rows})


def _file_state(connection: sqlite3.Connection) -> tuple[int, ...]:
    """Size and time of change of the database and its log; a new one after every commit."""
    path = next(
        (row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main"), ""
    )
    found: list[int] = []
    for name in (path, f"{path}-wal"):
        try:
            state = Path(name).stat()
        except OSError:
            found += (0, 0)
        else:
            found += (state.st_size, state.st_mtime_ns)
    return tuple(found)
