"""Videos behind their pages: which are to be tried, and how that went."""

import random
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from archiver.archive.queue import IS_DUE, QueuedFile, Stored, due_parameters, save
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert, insert_new, update, update_row
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


class TriedSubtitles(Struct, frozen=True):
    """Subtitles that a page has: their file in the store, or why there is none.

    `language` and `name` are the page's words; `stored` makes the row of the file for its queue.
    """

    language: str
    name: str | None
    result: Callable[[QueuedFile], Stored] | Reason


class Resolution(Struct, frozen=True):
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
    connection: sqlite3.Connection, tried: Resolution, stored: Stored, run_id: int, now: datetime,
    subtitles: Sequence[TriedSubtitles] = (),
) -> None:  # fmt: skip
    """Write that a video was stored, with its subtitles; all are durable by now."""
    with transaction(connection):
        save(connection, [stored], run_id, now)
        for each in subtitles:
            _save_subtitles(connection, tried.file, each, run_id, now)
        _add_row(connection, tried, run_id, now, None)
        insert(
            connection, "events", post_id=tried.file.post_id, run_id=run_id, at=timestamp(now),
            what="resolved", attachment_id=tried.file.attachment_id,
            reason=f"its video was behind its page ({tried.resolver})",
        )  # fmt: skip


def _save_subtitles(
    connection: sqlite3.Connection, film: QueuedFile, found: TriedSubtitles, run_id: int,
    now: datetime,
) -> None:  # fmt: skip
    """Save subtitles in a row beside that of their film; only with the film are they tried again.

    So what could not be fetched is not offered: no queue waits for it.
    """
    key = f"{film.media_key}#subtitles={quote(found.language, safe='')}/"
    key += quote(found.name or "", safe="")
    reason = found.result if isinstance(found.result, Reason) else None
    is_new = insert_new(
        connection, "renditions", attachment_id=film.attachment_id, account_id=film.account_id,
        source=film.source, role="subtitles", media_key=key, content_type="text/vtt",
        state="not_offered" if reason else "pending", **columns(reason), tries=0,
        published_at=film.published_at,
    )  # fmt: skip
    query = "SELECT id FROM renditions WHERE attachment_id = ? AND role = ? AND media_key = ?"
    row = connection.execute(query, (film.attachment_id, "subtitles", key)).fetchone()
    if row is not None and not isinstance(found.result, Reason):
        queued = replace(film, rendition_id=row[0], role="subtitles", media_key=key, lost=None)
        save(connection, [found.result(queued)], run_id, now)
    elif row is not None and not is_new and reason is not None:
        update(
            connection, "renditions", "id = ? AND state <> 'stored'", (row[0],),
            **columns(reason),
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
