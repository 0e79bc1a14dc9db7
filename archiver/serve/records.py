"""Records of an account, newest first, as they were received: the archive's side of paging.

Pages are cut by (created_at, id), never by counting, so a page stays where it was while posts come
and go above and below it.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from archiver.models import EXPIRING_KINDS


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which posts of an account. Times are text in the archive's form.

    `after` is the mark of the last post of the page before. `as_of` asks for what was known then.
    `stories` is None for posts and stories. `platform_id` asks for one post.
    """

    account_id: int
    limit: int = 1
    after: str | None = None
    since: str | None = None
    until: str | None = None
    stories: bool | None = None
    as_of: str | None = None
    removed: bool = False
    platform_id: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
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


def find(connection: sqlite3.Connection, wanted: HistoryQuery) -> Iterator[Found]:
    """The posts that are wanted, newest first, those without a time last; as many as are taken."""
    conditions, values = _conditions(wanted)
    raw = "posts.raw" if wanted.as_of is None else _RAW_THEN
    for stretch in _stretches(wanted.after):
        query = f"""
            SELECT id, platform_id, created_at, author, {raw} FROM posts
             WHERE {" AND ".join((*conditions, stretch))}
             ORDER BY created_at DESC, id
        """
        for row in connection.execute(query, values | _place(wanted.after)):
            yield Found(*row)


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """When the source last said what the archive holds, and before when it has nothing new."""

    updated_at: str
    fresh_until: str


def last_asked(
    connection: sqlite3.Connection, account_id: int, as_of: str | None
) -> HistoryRequest | None:
    """The last run, until `as_of`, in which the source answered for this account."""
    query = """
        SELECT coalesce(source_updated_at, finished_at), fresh_until FROM run_accounts
         WHERE account_id = ? AND (? IS NULL OR started_at <= ?)
           AND (source_updated_at IS NOT NULL
                OR (outcome IN ('done', 'partial') AND finished_at IS NOT NULL))
         ORDER BY run_id DESC LIMIT 1
    """
    row = connection.execute(query, (account_id, as_of, as_of)).fetchone()
    return HistoryRequest(row[0], row[1] or row[0]) if row else None


_RAW_THEN = """
    CASE WHEN last_seen_at <= :as_of THEN posts.raw ELSE (
        SELECT revisions.raw FROM revisions WHERE post_id = posts.id AND seen_at <= :as_of
         ORDER BY number DESC LIMIT 1) END
"""
"""The record as it was known at a time: the newest one where nothing was noted since."""

_GONE_THEN = """
    coalesce((SELECT what FROM events WHERE post_id = posts.id AND at <= :as_of
                AND what IN ('removed', 'returned') ORDER BY id DESC LIMIT 1), '') = 'removed'
"""


def _conditions(wanted: HistoryQuery) -> tuple[list[str], dict[str, Any]]:
    conditions = ["account_id = :account_id"]
    values: dict[str, Any] = {"account_id": wanted.account_id, "as_of": wanted.as_of}
    if wanted.platform_id is not None:
        conditions.append("platform_id = :platform_id")
        values["platform_id"] = wanted.platform_id
    if wanted.since is not None:
        conditions.append("created_at >= :since")
        values["since"] = wanted.since
    if wanted.until is not None:
        conditions.append("created_at <= :until")
        values["until"] = wanted.until
    if wanted.stories is not None:
        kinds = ", ".join(f"'{kind}'" for kind in sorted(EXPIRING_KINDS))
        conditions.append(f"kind {'IN' if wanted.stories else 'NOT IN'} ({kinds})")
    if wanted.as_of is not None:
        conditions.append("first_seen_at <= :as_of")
    if not wanted.removed:
        gone = "removed_at IS NOT NULL" if wanted.as_of is None else _GONE_THEN
        conditions.append(f"NOT ({gone})")
    return conditions, values


def _stretches(after: str | None) -> tuple[str, ...]:
    """The parts of a history behind a mark, one after the other; each can walk along an index."""
    if after is None:
        return ("created_at IS NOT NULL", "created_at IS NULL")
    if after.startswith("|"):
        return ("created_at IS NULL AND id > :place",)
    return (
        "created_at = :moment AND id > :place",
        "created_at < :moment",
        "created_at IS NULL",
    )


def _place(after: str | None) -> dict[str, Any]:
    if after is None:
        return {}
    moment, _, place = after.partition("|")
    return {"moment": moment, "place": int(place)}
