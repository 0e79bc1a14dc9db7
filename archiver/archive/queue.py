"""The queue of files to fetch: rows of `renditions`, newest posts first, and no other state."""

import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from archiver.archive.database import transaction
from archiver.models import timestamp

NOT_FOUND = "not found (404)"
MEDIA_TRIES = 3  # a 404 on so many days is believed
_DAY = timedelta(hours=23)  # a day, less the slack of a nightly run
_LONGEST_WAIT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file to fetch."""

    rendition_id: int
    attachment_id: int
    attachment_key: str
    post_id: int
    account_id: int
    post_platform_id: str
    kind: str
    role: str
    media_key: str
    url: str
    content_type: str | None
    tries: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is now in the store."""

    wanted: Wanted
    sha256: str
    path: str
    size: int
    content_type: str
    width: int | None
    height: int | None
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class NotStored:
    """A file that could not be had this time."""

    wanted: Wanted
    state: Literal["failed", "gone", "refused"]
    reason: str


_WAITING = """
      FROM renditions
      JOIN attachments ON attachments.id = attachment_id
      JOIN posts ON posts.id = post_id
     WHERE state IN ('pending', 'failed') AND (state = 'pending' OR next_try_at <= :now)
       AND renditions.url IS NOT NULL
       AND account_id IN (SELECT value FROM json_each(:accounts))
"""


def take(
    connection: sqlite3.Connection, account_ids: Collection[int], now: str, *,
    in_hand: Collection[int] = (), limit: int = 64,
) -> list[Wanted]:  # fmt: skip
    """The next files to fetch, newest posts first, leaving out those in hand."""
    query = f"""
        SELECT renditions.id, attachments.id, attachments.key, posts.id, account_id,
               posts.platform_id, attachments.kind, role, media_key, renditions.url,
               renditions.content_type, tries, reason
        {_WAITING} AND renditions.id NOT IN (SELECT value FROM json_each(:in_hand))
        ORDER BY published_at DESC, renditions.id LIMIT :limit
    """
    parameters = _parameters(account_ids, now) | {
        "in_hand": json.dumps(list(in_hand)),
        "limit": limit,
    }
    return [Wanted(*row) for row in connection.execute(query, parameters)]


def count(connection: sqlite3.Connection, account_ids: Collection[int], now: str) -> int:
    """How many files are waiting."""
    query = f"SELECT count(*) {_WAITING}"
    waiting: int = connection.execute(query, _parameters(account_ids, now)).fetchone()[0]
    return waiting


def retry_now(connection: sqlite3.Connection, account_ids: Collection[int], now: str) -> None:
    """Make every failed and refused file of these accounts due."""
    of_accounts = """
        attachment_id IN (
            SELECT attachments.id FROM attachments JOIN posts ON posts.id = post_id
             WHERE account_id IN (SELECT value FROM json_each(:accounts)))
    """
    with transaction(connection):
        connection.execute(
            f"UPDATE renditions SET next_try_at = :now WHERE state = 'failed' AND {of_accounts}",
            _parameters(account_ids, now),
        )
        connection.execute(
            f"UPDATE renditions SET state = 'pending' WHERE state = 'refused' AND {of_accounts}",
            _parameters(account_ids, now),
        )


def _parameters(account_ids: Collection[int], now: str) -> dict[str, object]:
    return {"now": now, "accounts": json.dumps(list(account_ids))}


def save(
    connection: sqlite3.Connection, outcomes: Iterable[Stored | NotStored], run_id: int,
    now: datetime,
) -> list[str]:  # fmt: skip
    """Write how it went with some files, in one transaction; the files are durable by now.

    Returns the state that each rendition ended in.
    """
    with transaction(connection):
        return [
            _save_stored(connection, outcome, now)
            if isinstance(outcome, Stored)
            else _save_not_stored(connection, outcome, run_id, now)
            for outcome in outcomes
        ]


def renew_url(connection: sqlite3.Connection, rendition_id: int, url: str) -> None:
    """Note a fresh address."""
    with transaction(connection):
        connection.execute("UPDATE renditions SET url = ? WHERE id = ?", (url, rendition_id))


def _save_stored(connection: sqlite3.Connection, stored: Stored, now: datetime) -> str:
    connection.execute(
        "INSERT INTO media (sha256, path, size, content_type, width, height, duration_ms, "
        "stored_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            stored.sha256, stored.path, stored.size, stored.content_type, stored.width,
            stored.height, stored.duration_ms, timestamp(now),
        ),
    )  # fmt: skip
    connection.execute(
        "UPDATE renditions SET state = 'stored', reason = NULL, media_sha256 = ?, tries = 0, "
        "next_try_at = NULL WHERE id = ?",
        (stored.sha256, stored.wanted.rendition_id),
    )
    return "stored"


def _save_not_stored(
    connection: sqlite3.Connection, outcome: NotStored, run_id: int, now: datetime
) -> str:
    wanted = outcome.wanted
    tries = wanted.tries + 1 if wanted.reason == outcome.reason else 1
    state: str = outcome.state
    if outcome.reason == NOT_FOUND and tries >= MEDIA_TRIES:
        state = "gone"
    next_try_at = timestamp(now + _wait(outcome.reason, tries)) if state == "failed" else None
    connection.execute(
        "UPDATE renditions SET state = ?, reason = ?, tries = ?, next_try_at = ? WHERE id = ?",
        (state, outcome.reason, tries, next_try_at, wanted.rendition_id),
    )
    if state == "gone":
        connection.execute(
            "INSERT INTO events (post_id, run_id, at, what, attachment_id, reason) "
            "VALUES (?, ?, ?, 'gone', ?, ?)",
            (wanted.post_id, run_id, timestamp(now), wanted.attachment_id, outcome.reason),
        )
    # with thumbnails = false, a still is left out only where its original is here
    connection.execute(
        "UPDATE renditions SET state = 'pending', reason = NULL "
        "WHERE attachment_id = ? AND state = 'skipped' AND reason = 'thumbnails=false'",
        (wanted.attachment_id,),
    )
    return state


def _wait(reason: str, tries: int) -> timedelta:
    """A day for the first tries, so that a nightly run tries again; then longer and longer."""
    if reason == NOT_FOUND:
        return _DAY
    doublings = min(max(0, tries - 3), 5)
    return min(_DAY * (1 << doublings), _LONGEST_WAIT)
