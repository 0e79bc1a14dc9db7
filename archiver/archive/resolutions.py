"""Videos behind their pages: which are to be tried, and how that went."""

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from archiver.archive.queue import IS_DUE, QueuedFile, Stored, due_parameters, save
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert, update_row
from archiver.archive.transactions import transaction
from archiver.models import timestamp
from archiver.reasons import Reason, columns

_FIRST_WAIT = timedelta(days=5)
_LONGEST_WAIT = timedelta(days=28)
_DAY = timedelta(days=1)
_LOCAL = frozenset({"runtime_missing", "resolver_missing", "resolver_outdated"})
"""What is missing on this machine, and may be there tomorrow."""

_BEHIND_PAGES = f"""
    SELECT renditions.id AS rendition_id, attachments.id AS attachment_id,
           attachments.key AS attachment_key, posts.id AS post_id, renditions.account_id,
           renditions.source, posts.platform_id AS record_id, attachments.kind, role, media_key,
           posts.url, renditions.content_type, tries, reason_code, expected_sha256, expected_size,
           iif(state = 'pending', media_sha256, NULL) AS lost, published_at, NULL AS playlist
      FROM renditions
     CROSS JOIN attachments ON attachments.id = attachment_id
     CROSS JOIN posts ON posts.id = post_id
     WHERE renditions.account_id = :account AND renditions.url IS NULL
       AND role IN ('original', 'variant') AND attachments.kind = 'video'
       AND posts.url IS NOT NULL AND posts.removed_at IS NULL
       AND (state = 'not_offered' AND reason_code = 'not_offered'
            OR state = 'failed' AND reason_code <> 'no_address' AND {IS_DUE}
            OR state = 'pending' AND reason_code = 'lost')
       AND NOT EXISTS (SELECT 1 FROM renditions AS other
            WHERE other.attachment_id = attachments.id AND other.state = 'stored'
              AND other.role IN ('original', 'variant'))
     ORDER BY published_at DESC, renditions.id LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Resolution:
    """One try: the rendition's file, whose `url` is the page, and what was used."""

    file: QueuedFile
    platform: str
    resolver: str
    version: str | None


def behind_pages(
    connection: sqlite3.Connection, account_id: int, now: str, *, limit: int
) -> list[QueuedFile]:
    """The videos of an account to try now, newest first; their `url` is that of their page."""
    parameters = due_parameters(now) | {"account": account_id, "limit": limit}
    return list(objects(connection.execute(_BEHIND_PAGES, parameters), QueuedFile))


def tries_of_day(connection: sqlite3.Connection, platform: str, now: datetime) -> int:
    """How many videos of a platform were tried within a day."""
    query = "SELECT count(*) FROM resolutions WHERE platform = ? AND at > ?"
    since = timestamp(now - _DAY)
    count: int = connection.execute(query, (platform, since)).fetchone()[0]
    return count


def save_resolved(
    connection: sqlite3.Connection, tried: Resolution, stored: Stored, run_id: int, now: datetime
) -> None:
    """Write that a video was stored; it is durable by now."""
    with transaction(connection):
        save(connection, [stored], run_id, now)
        _add_row(connection, tried, run_id, now, None)
        insert(
            connection, "events", post_id=tried.file.post_id, run_id=run_id, at=timestamp(now),
            what="resolved", attachment_id=tried.file.attachment_id,
            reason=f"its video was behind its page ({tried.resolver})",
        )  # fmt: skip


def save_unresolved(
    connection: sqlite3.Connection, tried: Resolution, reason: Reason, run_id: int, now: datetime,
    jitter: Callable[[], float] = random.random,
) -> None:  # fmt: skip
    """Save why a video could not be fetched, and when it is tried again."""
    tries = tried.file.tries + 1 if tried.file.reason_code == reason.code else 1
    with transaction(connection):
        update_row(
            connection, "renditions", tried.file.rendition_id, state="failed", **columns(reason),
            tries=tries, next_try_at=timestamp(now + resolver_wait(reason.code, tries, jitter())),
        )  # fmt: skip
        _add_row(connection, tried, run_id, now, reason)


def resolver_wait(code: str, tries: int, jitter: float) -> timedelta:
    """Days, then weeks, and never the same: so that tries spread out. `jitter` is from 0 to 1."""
    if code in _LOCAL:
        return _DAY - timedelta(hours=1)
    wait: timedelta = min(_FIRST_WAIT * (1 << min(tries - 1, 5)), _LONGEST_WAIT)
    return wait * (0.75 + 0.25 * jitter)


def _add_row(
    connection: sqlite3.Connection, tried: Resolution, run_id: int, now: datetime,
    reason: Reason | None,
) -> None:  # fmt: skip
    insert(
        connection, "resolutions", rendition_id=tried.file.rendition_id, run_id=run_id,
        platform=tried.platform, resolver=tried.resolver, version=tried.version,
        at=timestamp(now), reason_code=reason and reason.code, reason=reason and reason.text,
    )  # fmt: skip
