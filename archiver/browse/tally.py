"""Counts that are too slow to query for every page: kept in memory and updated.

Posts are never deleted and their ids only grow, so posts per account and month are counted once,
from an index alone, and after that only the new ones. The size of the media may be a minute old.
"""

import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock

_STALE_AFTER = 60.0  # seconds

Month = tuple[int, str]
"""An account's id, and `2026-03`; an empty string for posts without a time."""


@dataclass
class Tally:
    """The counts of one archive. Safe to use from any thread."""

    _months: Counter[Month] = field(default_factory=Counter)
    _last_post: int = 0
    _files: tuple[int, int] = (0, 0)
    _count_again_at: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def months(self, connection: sqlite3.Connection) -> Counter[Month]:
        """Posts per account and month."""
        with self._lock:
            last = connection.execute("SELECT coalesce(max(id), 0) FROM posts").fetchone()[0]
            if last < self._last_post:  # the file was replaced
                self._months.clear()
                self._last_post = 0
            if last > self._last_post:
                where = "WHERE posts.id > :since AND posts.id <= :last" if self._last_post else ""
                rows = connection.execute(
                    "SELECT account_id, substr(coalesce(created_at, ''), 1, 7), count(*) "
                    f"FROM posts {where} GROUP BY 1, 2",
                    {"since": self._last_post, "last": last} if where else {},
                )
                for account, month, count in rows:
                    self._months[account, month] += count
                self._last_post = last
            return self._months.copy()

    def files(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """Number and total bytes of the media files."""
        with self._lock:
            if time.monotonic() >= self._count_again_at:
                query = "SELECT count(*), coalesce(sum(size), 0) FROM media WHERE lost_at IS NULL"
                row = connection.execute(query)
                self._files = tuple(row.fetchone())
                self._count_again_at = time.monotonic() + _STALE_AFTER
            return self._files
