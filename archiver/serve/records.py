"""Records of an account, newest first, as they were received: the archive's side of paging.

Pages are cut by (created_at, id), never by counting, so a page stays where it was while posts come
and go above and below it.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from archiver.apis import HistoryQuery, SourceFreshness
from archiver.archive.row_objects import objects
from archiver.models import EXPIRING_KINDS, timestamp


@dataclass(frozen=True, slots=True)
class ArchivedRecord:
    """A post of a page. `raw` is None where nothing but its id was known at the time."""

    id: int
    platform_id: str
    created_at: str | None
    author: str | None
    raw: str | None

    @property
    def mark(self) -> str:
        """What says where the page behind it begins."""
        return f"{self.created_at or ''}|{self.id}"


def find_records(connection: sqlite3.Connection, wanted: HistoryQuery) -> Iterator[ArchivedRecord]:
    """The posts that are wanted, newest first, those without a time last; as many as are taken."""
    conditions, values = _conditions(wanted)
    raw = "posts.raw" if wanted.as_of is None else _RAW_THEN
    for place in _places(wanted.after):
        query = f"""
            SELECT id, platform_id, created_at, author, {raw} AS raw FROM posts
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


_RAW_THEN = """
    CASE WHEN last_seen_at <= :as_of THEN posts.raw ELSE (
        SELECT revisions.raw FROM revisions WHERE post_id = posts.id AND seen_at <= :as_of
         ORDER BY number DESC LIMIT 1) END
"""
"""The record as it was known at a time: the newest one where nothing was noted since."""

_REMOVED_THEN = """
    coalesce((SELECT what FROM events WHERE post_id = posts.id AND at <= :as_of
                AND what IN ('removed', 'restored') ORDER BY id DESC LIMIT 1), '') = 'removed'
"""


def _conditions(wanted: HistoryQuery) -> tuple[list[str], dict[str, Any]]:
    conditions = ["account_id = :account_id", "kind <> 'memory'"]  # that was never published
    values: dict[str, Any] = {"account_id": wanted.account.id, "as_of": timestamp(wanted.as_of)}
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
