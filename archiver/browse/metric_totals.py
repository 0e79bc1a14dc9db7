"""Sums of metrics over all posts, the best posts, and what moved: counted once, and kept.

Reading every metric takes seconds per million posts. So a page shows what was counted last, says
when that was, and has it counted again in the background once a run has ended since.
"""

import heapq
import sqlite3
import threading
import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from archiver.browse.likes import LIKES, NOT_KNOWN, LikeRanking, capped
from archiver.export.heading import time_now

BEST = 10
"""Posts kept of each account and metric: those with the highest values, and that moved most."""

_WEEK = timedelta(days=7)

Key = tuple[int, str]
"""An account's id, and the name of a metric."""

Connect = Callable[[], AbstractContextManager[sqlite3.Connection]]
"""Opens a connection for a thread of its own."""

METRICS = """
    SELECT post_id, name, seen_at, value FROM metrics
     WHERE +attachment_id = 0 ORDER BY post_id, attachment_id, name, seen_at
"""
"""Every value of every metric of posts, in the order of the table's key.

The unary plus keeps SQLite from using the index on the attachment, after which it would sort.
"""
ACCOUNTS = "SELECT id, account_id FROM posts"
"""Of every post its account, from an index alone."""


@dataclass(frozen=True, slots=True)
class MetricChange:
    """A metric of a post that has another value than a week before the count."""

    post_id: int
    before: float
    now: float


@dataclass
class MetricTotals:
    """What was counted. `counted_at` and `since` are ISO 8601, UTC."""

    counted_at: str
    since: str  # a week before
    sums: Counter[Key] = field(default_factory=Counter)
    sums_before: Counter[Key] = field(default_factory=Counter)  # as they were at `since`
    posts: Counter[Key] = field(default_factory=Counter)  # that have the metric
    best: dict[Key, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    moved: dict[Key, list[tuple[float, MetricChange]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    likes: LikeRanking = field(default_factory=lambda: LikeRanking((), ()))

    def best_posts(self, accounts: Collection[int], name: str) -> list[tuple[int, float]]:
        """Post id and value, the highest first."""
        found = [pair for account in accounts for pair in self.best.get((account, name), ())]
        return [(post_id, value) for value, post_id in heapq.nlargest(BEST, found)]

    def most_moved(self, accounts: Collection[int], name: str) -> list[MetricChange]:
        """The posts whose metric moved most, up or down."""
        found = [pair for account in accounts for pair in self.moved.get((account, name), ())]
        found.sort(key=lambda pair: (-pair[0], pair[1].post_id))
        return [moved for _, moved in found[:BEST]]


def count(connection: sqlite3.Connection, now: datetime) -> MetricTotals:
    """Count all metrics of all posts."""
    since = (now - _WEEK).astimezone(UTC).isoformat(timespec="milliseconds")
    totals = MetricTotals(time_now(), since.replace("+00:00", "Z"))
    account_of = _account_of(connection)
    last_post = len(account_of) - 1
    likes = array("d", [NOT_KNOWN]) * len(account_of)
    for post_id, name, last, before in _newest(connection.execute(METRICS), totals.since):
        account = account_of[post_id] if post_id <= last_post else 0
        key = (account, name)
        totals.sums[key] += last  # type: ignore[assignment] # metrics may be fractions
        totals.posts[key] += 1
        best = totals.best[key]
        if len(best) < BEST or last >= best[0][0]:
            _keep(best, (last, post_id))
        if name in LIKES and account:
            likes[post_id] = max(likes[post_id], capped(last))
        if before is None:
            continue  # not known a week ago
        totals.sums_before[key] += before  # type: ignore[assignment] # likewise
        if before != last:
            moved = MetricChange(post_id, before, last)
            kept = totals.moved[key]
            kept.append((abs(last - before), moved))
            if len(kept) > 8 * BEST:
                kept[:] = heapq.nlargest(BEST, kept, key=lambda pair: pair[0])
    totals.likes = LikeRanking.of(likes, (post for post, known in enumerate(account_of) if known))
    return totals


def _account_of(connection: sqlite3.Connection) -> "array[int]":
    """The account of each post, by the post's id."""
    last = connection.execute("SELECT coalesce(max(id), 0) FROM posts").fetchone()[0]
    found = array("l", bytes(array("l").itemsize * (last + 1)))
    for post_id, account in connection.execute(ACCOUNTS):
        found[post_id] = account
    return found


def _newest(
    rows: Iterable[tuple[int, str, str, object]], since: str
) -> Iterator[tuple[int, str, float, float | None]]:
    """Post, metric, its newest value, and that of `since`, if it was known then.

    Each of millions of rows comes through here: nothing is kept of one but its value.
    """
    post, metric = 0, ""
    last: float | None = None
    before: float | None = None
    for post_id, name, seen_at, value in rows:
        if post_id != post or name != metric:
            if last is not None:
                yield post, metric, last, before
            post, metric, last, before = post_id, name, None, None
        if isinstance(value, (int, float)):  # a union takes twice as long
            last = value
            if seen_at <= since:
                before = value
    if last is not None:
        yield post, metric, last, before


def _keep(kept: list[tuple[float, int]], pair: tuple[float, int]) -> None:
    """Keep the largest pairs, in a heap."""
    if len(kept) < BEST:
        heapq.heappush(kept, pair)
    elif pair > kept[0]:
        heapq.heapreplace(kept, pair)


_RECOUNT_AFTER = 3600.0  # seconds: "since last week" moves with the time
_SHARE = 20  # counting may take one in so many seconds


@dataclass
class KeptTotals:
    """The last count of an archive. Safe to use from any thread."""

    _totals: MetricTotals | None = None
    _counted_of: object = None  # the run that was the last one then
    _counted: float = 0.0  # when, by the monotonic clock, in seconds
    _took: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counting: threading.Thread | None = None

    def get(self, connection: sqlite3.Connection, connect: Connect) -> MetricTotals:
        """The last count, or the first one; what is out of date is counted again for next time."""
        with self._lock:
            found = self._totals
            if found is None:
                found = self._count(connection)
            elif self._is_old(connection) and not (self._counting and self._counting.is_alive()):
                self._counting = threading.Thread(
                    target=self._count_again, args=(connect,), daemon=True
                )
                self._counting.start()
            return found

    def _is_old(self, connection: sqlite3.Connection) -> bool:
        age = time.monotonic() - self._counted
        if age < _SHARE * self._took:
            return False
        return age > _RECOUNT_AFTER or last_run(connection) != self._counted_of

    def _count_again(self, connect: Connect) -> None:
        with connect() as connection:
            self._count(connection)

    def _count(self, connection: sqlite3.Connection) -> MetricTotals:
        run, begun = last_run(connection), time.monotonic()
        totals = count(connection, datetime.now(UTC))
        self._totals, self._counted_of = totals, run
        self._counted = time.monotonic()
        self._took = self._counted - begun
        return totals


def last_run(connection: sqlite3.Connection) -> object:
    """What tells whether a run has ended since; None in a copy without runs."""
    try:
        row = connection.execute(
            "SELECT id, finished_at FROM runs ORDER BY id DESC LIMIT 1"
        ).fetchone()
    except sqlite3.OperationalError as error:
        if "no such" not in str(error):
            raise
        return None
    return tuple(row) if row else None
