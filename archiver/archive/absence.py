"""Posts that a complete scan did not show: missing at first, removed when a second scan agrees."""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from archiver.archive.identity import is_shown_elsewhere
from archiver.archive.rows import insert, update, update_row
from archiver.archive.transactions import transaction
from archiver.models import EXPIRING_KINDS, STORY_LIFE, timestamp

_OF_SOURCE = "post_id = ? AND source = ?"
_EXPIRING = ", ".join(f"'{kind}'" for kind in sorted(EXPIRING_KINDS))


@dataclass(frozen=True, slots=True)
class Scan:
    """A complete scan of a source: the ids that it showed, and down to which time it showed all.

    `floor` is None where it went down to the start. `updated_at` is the source's own word for when
    it had asked the platform; two scans of one cached answer are one. `view` are the options of
    the account that choose what is shown. A post that was seen more than a day before its own date
    is misdated: it may stand anywhere, so only a scan down to the start can miss it.
    """

    source: str
    seen: Collection[str]
    floor: str | None
    updated_at: str | None
    view: str = "{}"
    is_proof: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    """How many posts were missed for the first time, and how many for the second."""

    missing: int = 0
    removed: int = 0


def mark_absent(
    connection: sqlite3.Connection, account_id: int, run_id: int, scan: Scan, now: str,
    note: str | None = None,
) -> Absent:  # fmt: skip
    """Note which known posts a complete scan should have shown and did not.

    `note` is what else an absence can mean on this platform; it goes into the event's reason.
    What expires by itself is never missed: it has expired. Content and media are kept.
    """
    missing = removed = 0
    with transaction(connection):
        for post_id, missing_at, missing_updated_at in _unseen(connection, account_id, scan):
            if scan.is_proof:
                removed += 1
                _remove_proven(connection, post_id, run_id, scan, missing_at, now)
            elif missing_at is None:
                missing += 1
                update(
                    connection, "post_sources", _OF_SOURCE, (post_id, scan.source),
                    missing_at=now, missing_updated_at=scan.updated_at,
                )  # fmt: skip
                _event(connection, post_id, run_id, now, "missing", scan.source, note)
            elif scan.updated_at is None or scan.updated_at != missing_updated_at:
                removed += 1
                update_row(connection, "posts", post_id, removed_at=missing_at, last_seen_at=now)
                reason = f"missing since {missing_at}" + (f"; {note}" if note else "")
                _event(connection, post_id, run_id, now, "removed", scan.source, reason)
        _note_expired(connection, account_id, run_id, scan.source, scan.seen, now)
    return Absent(missing, removed)


def _remove_proven(
    connection: sqlite3.Connection, post_id: int, run_id: int, scan: Scan, missing_at: str | None,
    now: str,
) -> None:  # fmt: skip
    update(
        connection, "post_sources", _OF_SOURCE, (post_id, scan.source),
        missing_at=missing_at or now, missing_updated_at=scan.updated_at,
    )  # fmt: skip
    update_row(connection, "posts", post_id, removed_at=missing_at or now, last_seen_at=now)
    reason = "the source proves that it holds no such post"
    _event(connection, post_id, run_id, now, "removed", scan.source, reason)


def _note_expired(
    connection: sqlite3.Connection, account_id: int, run_id: int, source: str,
    seen: Collection[str], now: str,
) -> None:  # fmt: skip
    """Note once that a story is over."""
    born_before = timestamp(datetime.fromisoformat(now) - STORY_LIFE)
    query = f"""
        SELECT posts.id, platform_id FROM posts
          JOIN post_sources ON post_id = posts.id AND source = ?
         WHERE account_id = ? AND kind IN ({_EXPIRING}) AND missing_at IS NULL AND created_at <= ?
    """
    found = connection.execute(query, (source, account_id, born_before)).fetchall()
    for post_id, platform_id in found:
        if platform_id not in seen:
            update(connection, "post_sources", _OF_SOURCE, (post_id, source), missing_at=now)
            _event(connection, post_id, run_id, now, "expired", source, None)


def _unseen(
    connection: sqlite3.Connection, account_id: int, scan: Scan
) -> list[tuple[int, str | None, str | None]]:
    """Posts that the scan should have shown and did not, with when they were missed before."""
    query = f"""
        SELECT id, platform_id FROM posts
         WHERE account_id = ? AND removed_at IS NULL AND kind NOT IN ({_EXPIRING})
           AND (? IS NULL OR created_at > ? AND created_at
               <= strftime('%Y-%m-%dT%H:%M:%fZ', first_seen_at, '+1 day'))
    """
    missed = """
        SELECT post_id, missing_at, missing_updated_at FROM post_sources
         WHERE post_id = ? AND source = ? AND view = ?
    """
    known = connection.execute(query, (account_id, scan.floor, scan.floor))
    not_shown = [row for row in known if row[1] not in scan.seen]
    unseen = [
        post_id
        for post_id, platform_id in not_shown
        if not is_shown_elsewhere(connection, account_id, post_id, platform_id, scan.seen)
    ]
    of_source = (scan.source, scan.view)
    found = (connection.execute(missed, (post_id, *of_source)).fetchone() for post_id in unseen)
    return [row for row in found if row is not None]


def _event(
    connection: sqlite3.Connection, post_id: int, run_id: int, now: str, what: str, source: str,
    reason: str | None,
) -> None:  # fmt: skip
    insert(
        connection, "events", post_id=post_id, run_id=run_id, at=now, what=what, source=source,
        reason=reason,
    )  # fmt: skip
