"""When the accounts were last scanned, for runs that do only what is due; reads only."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

_UNFINISHED = ("running", "interrupted")


class ScanTimes(Struct, frozen=True):
    """What earlier runs know of an account through one source; times as the archive writes them.

    `tried_at` is when its last scan began, and `outcome` and `error_code` are what came of that;
    `read_at` is when the last one began that did not fail. `has_pending_files`: files of it wait
    that were never tried, and `files_tried_at` is when the last run began that could fetch them.
    """

    tried_at: str | None = None
    outcome: str | None = None
    error_code: str | None = None
    read_at: str | None = None
    fresh_until: str | None = None
    has_pending_files: bool = False
    files_tried_at: str | None = None

    @property
    def was_stopped(self) -> bool:
        """Whether the last scan did not come to its end: the next run resumes it."""
        return self.outcome in _UNFINISHED


def scan_times(
    connection: sqlite3.Connection, accounts: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], ScanTimes]:
    """What is known of accounts, which are named by label and source."""
    last_run = connection.execute("SELECT started_at FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    files_tried_at = last_run[0] if last_run else None
    return {
        (name, source): _times_of(connection, name, source, files_tried_at)
        for name, source in accounts
    }


def _times_of(
    connection: sqlite3.Connection, name: str, source: str, files_tried_at: str | None
) -> ScanTimes:
    def newest(columns: str, condition: str) -> tuple[Any, ...] | None:
        query = f"""
            SELECT {columns} FROM run_accounts WHERE name = ? AND source = ? AND {condition}
             ORDER BY run_id DESC LIMIT 1
        """
        found: tuple[Any, ...] | None = connection.execute(query, (name, source)).fetchone()
        return found

    tried = newest("started_at, outcome, error_code", "outcome <> 'fresh'")
    tried_at, outcome, error_code = tried or (None, None, None)
    read = newest("started_at", "outcome IN ('done', 'partial', 'away')")
    fresh = newest("fresh_until", "outcome = 'done'")
    pending = connection.execute(
        """
        SELECT EXISTS (SELECT 1 FROM renditions
                        WHERE account_id = (SELECT id FROM accounts WHERE name = ?)
                          AND state = 'pending' AND url IS NOT NULL)
        """,
        (name,),
    ).fetchone()
    return ScanTimes(
        tried_at, outcome, error_code, read[0] if read else None, fresh[0] if fresh else None,
        bool(pending[0]), files_tried_at,
    )  # fmt: skip
