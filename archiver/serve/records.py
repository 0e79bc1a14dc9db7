"""Records of an account, newest first, as they were received: the archive's side of paging.

Pages are cut by (created_at, id), never by counting, so a page stays where it was while posts come
and go above and below it.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from archiver.archive.row_objects import objects
from archiver.models import EXPIRING_KINDS, timestamp
from archiver.served_records import HistoryQuery, SourceFreshness


@dataclass(frozen=True, slots=True)
class ArchivedRecord:
    """A post of a page. `raw` is None where the source that is asked for has no record of it.

    `is_now` says whether its columns are as they were at the time that is asked for.
    """

    id: int
    platform_id: str
    created_at: str | None
    author: str | None
    title: str | None
    text: str | None
    url: str | None
    raw: str | None
    is_now: int

    @property
    def mark(self) -> str:
        """What says where the page behind it begins."""
        return f"{self.created_at or ''}|{self.id}"


def find_records(connection: sqlite3.Connection, wanted: HistoryQuery) -> Iterator[ArchivedRecord]:
    """The posts that are wanted, newest first, those without a time last; as many as are taken."""
    conditions, values = _conditions(wanted)
    now = "posts.raw" if wanted.source is None else _RAW_OF_SOURCE
    raw = now if wanted.as_of is None else _RAW_THEN.format(now=now)
    for place in _places(wanted.after):
        query = f"""
            SELECT id, platform_id, created_at, author, title, text, url, {raw} AS raw,
                   :as_of IS NULL OR last_seen_at <= :as_of AS is_now
              FROM posts
             WHERE {" AND ".join((*conditions, place))}
             ORDER BY created_at DESC, id
        """
        parameters = values | _mark_values(wanted.after)
        yield from objects(connection.execute(query, parameters), ArchivedRecord)


def source_freshness(
    connection: sqlite3.Connection, account_id: int, as_of: str | None
) -> SourceFreshness | None:
    """The last run, until `as_of`, in which the source answered for this account."""
    query = """
        SELECT coalesce(source_updated_at, finished_at) AS updated_at,
               coalesce(fresh_until, source_updated_at, finished_at) AS fresh_until
          FROM run_accounts
         WHERE account_id = ? AND (? IS NULL OR started_at <= ?)
           AND (source_updated_at IS NOT NULL
                OR (outcome IN ('done', 'partial') AND finished_at IS NOT NULL))
         ORDER BY run_id DESC LIMIT 1
    """
    cursor = connection.execute(query, (account_id, as_of, as_of))
    return next(objects(cursor, SourceFreshness), None)


def attached_files(connection: sqlite3.Connection, post_id: int) -> list[tuple[str, ...]]:
    """What is attached to a post now: kind, address, alt text, and the hash of its file here.

    Of each attachment the first file that is here, else the first; a link has its target alone.
    """
    query = """
        SELECT attachments.kind, coalesce(renditions.url, attachments.platform_id), alt_text,
               CASE state WHEN 'stored' THEN media_sha256 END
          FROM attachments LEFT JOIN renditions ON renditions.id = (
               SELECT id FROM renditions AS every WHERE attachment_id = attachments.id
                ORDER BY state = 'stored' DESC, role = 'original' DESC, id LIMIT 1)
         WHERE post_id = :post AND last_revision = (
               SELECT max(number) FROM revisions WHERE post_id = :post)
         ORDER BY position
    """
    return connection.execute(query, {"post": post_id}).fetchall()


_RAW_OF_SOURCE = """
    (SELECT CASE WHEN own.content_sha256 IS NULL AND (
                SELECT count(*) FROM post_sources WHERE post_id = posts.id) > 1
            THEN NULL ELSE coalesce(own.raw, posts.raw) END
       FROM post_sources AS own WHERE own.post_id = posts.id AND own.source = :source)
"""
"""The newest record of one source, which the post has itself where that source leads."""

_RAW_THEN = """
    CASE WHEN last_seen_at <= :as_of THEN {now} ELSE (
        SELECT revisions.raw FROM revisions WHERE post_id = posts.id AND seen_at <= :as_of
           AND (:source IS NULL OR source = :source)
         ORDER BY number DESC LIMIT 1) END
"""
"""The record as it was known at a time: the newest one where nothing was noted since."""

_REMOVED_THEN = """
    coalesce((SELECT what FROM events WHERE post_id = posts.id AND at <= :as_of
                AND what IN ('removed', 'restored') ORDER BY id DESC LIMIT 1), '') = 'removed'
"""


def _conditions(wanted: HistoryQuery) -> tuple[list[str], dict[str, Any]]:
    conditions = ["account_id = :account_id", "kind <> 'memory'"]  # that was never published
    values: dict[str, Any] = {
        "account_id": wanted.account.id, "as_of": timestamp(wanted.as_of), "source": wanted.source,
    }  # fmt: skip
    if wanted.platform_id is not None:
        conditions.append("platform_id = :platform_id")
        values["platform_id"] = wanted.platform_id
    if wanted.since is not None:
        conditions.append("created_at >= :since")
        values["since"] = timestamp(wanted.since)
    if wanted.until is not None:
        conditions.append("created_at <= :until")
        values["until"] = timestamp(wanted.until)
    if wanted.stream is not None:
        kinds = ", ".join(f"'{kind}'" for kind in sorted(EXPIRING_KINDS))
        conditions.append(f"kind {'IN' if wanted.stream == 'stories' else 'NOT IN'} ({kinds})")
    if wanted.as_of is not None:
        conditions.append("first_seen_at <= :as_of")
    if not wanted.removed:
        is_removed = "removed_at IS NOT NULL" if wanted.as_of is None else _REMOVED_THEN
        conditions.append(f"NOT ({is_removed})")
    return conditions, values


def _places(after: str | None) -> tuple[str, ...]:
    """The parts of a history behind a mark, one after the other; each is read along an index."""
    if after is None:
        return ("created_at IS NOT NULL", "created_at IS NULL")
    if after.startswith("|"):
        return ("created_at IS NULL AND id > :place",)
    return (
        "created_at = :moment AND id > :place",
        "created_at < :moment",
        "created_at IS NULL",
    )


def _mark_values(after: str | None) -> dict[str, Any]:
    if after is None:
        return {}
    moment, _, place = after.partition("|")
    return {"moment": moment, "place": int(place)}
