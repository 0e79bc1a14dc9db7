"""Posts that a complete scan did not show: missing at first, removed when a second scan agrees."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Struct, field

from archiver.archive.identity import is_shown_elsewhere
from archiver.archive.merging import rank_of
from archiver.archive.row_marks import RowMarks
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert, update, update_row
from archiver.archive.transactions import transaction
from archiver.models import EXPIRING_KINDS, STORY_LIFE, timestamp

_OF_SOURCE = "post_id = ? AND source = ?"
_BATCH = 500  # rows that are asked for at once
_EXPIRING = ", ".join(f"'{kind}'" for kind in sorted(EXPIRING_KINDS))


class Scan(Struct, frozen=True):
    """A complete scan of a source: the ids that it showed, and the time above which it showed all.

    `floor` is None where it reached the first post. `updated_at` is when, by its own statement, the
    source last asked the platform: two scans of one cached answer count once. `view` are the
    options of the account that choose what is shown. `recognised` are rows of posts that it showed,
    which need not be asked for. A post that was seen more than a day before its own date is
    misdated and may be listed anywhere: only a scan down to the first post can find it missing.
    """

    source: str
    seen: Collection[str]
    floor: str | None
    updated_at: str | None
    view: str = "{}"
    proves_absence: bool = False
    recognised: RowMarks = field(default_factory=RowMarks)


class AbsenceCounts(Struct, frozen=True):
    """How many posts became missing, and how many removed."""

    missing: int = 0
    removed: int = 0


def mark_absent(
    connection: sqlite3.Connection, account_id: int, run_id: int, scan: Scan, now: str,
    note: str | None = None, ranks: Mapping[str, str] = MappingProxyType({}),
) -> AbsenceCounts:  # fmt: skip
    """Note which known posts a complete scan should have shown and did not.

    `note` is what else an absence can mean on this platform; it goes into the event's reason.
    What expires by itself is never missing: it has expired. Content and media are kept. `ranks` are
    those of the sources: a post that another source of at least this rank still shows is kept.
    """
    missing = removed = 0
    with transaction(connection):
        for post in _unseen_posts(connection, account_id, scan):
            if scan.proves_absence:
                reason = "the source proves that it holds no such post"
                removed += _set_removed(connection, post, run_id, scan, ranks, now, reason)
            elif post.missing_at is None:
                missing += 1
                _set_missing(connection, post, scan, now)
                _event(connection, post.id, run_id, now, "missing", scan.source, note)
            elif scan.updated_at is None or scan.updated_at != post.missing_updated_at:
                reason = f"missing since {post.missing_at}" + (f"; {note}" if note else "")
                removed += _set_removed(connection, post, run_id, scan, ranks, now, reason)
        _note_expired(connection, account_id, run_id, scan.source, scan.seen, now)
    return AbsenceCounts(missing, removed)


def removing_source(
    connection: sqlite3.Connection, post_id: int, source: str, ranks: Mapping[str, str]
) -> str | None:
    """A source of higher rank than this one that has removed a post; None where there is none.

    The network itself decides, whatever a middleman still shows.
    """
    query = "SELECT source FROM post_sources WHERE post_id = ? AND removed_at IS NOT NULL"
    own = rank_of(source, ranks)
    found = (name for (name,) in connection.execute(query, (post_id,)).fetchall())
    return next((name for name in found if rank_of(name, ranks) > own), None)


def _set_removed(
    connection: sqlite3.Connection, post: "_UnseenPost", run_id: int, scan: Scan,
    ranks: Mapping[str, str], now: str, reason: str,
) -> bool:  # fmt: skip
    """Mark a post as removed from a source; returns whether it is now removed in the archive.

    It is not where another source, of the same or a higher rank, has shown it since.
    """
    since = post.missing_at or now
    if post.removed_by_source_at is None:
        _set_missing(connection, post, scan, since, removed_at=since)
    if _is_shown_by_another(connection, post, scan.source, ranks, since):
        return False
    update_row(connection, "posts", post.id, removed_at=since, last_seen_at=now)
    _event(connection, post.id, run_id, now, "removed", scan.source, reason)
    return True


def _set_missing(
    connection: sqlite3.Connection, post: "_UnseenPost", scan: Scan, since: str,
    removed_at: str | None = None,
) -> None:  # fmt: skip
    update(
        connection, "post_sources", _OF_SOURCE, (post.id, scan.source), missing_at=since,
        missing_updated_at=scan.updated_at, removed_at=removed_at,
    )  # fmt: skip


def _is_shown_by_another(
    connection: sqlite3.Connection, post: "_UnseenPost", source: str, ranks: Mapping[str, str],
    since: str,
) -> bool:  # fmt: skip
    """Whether another source of at least this rank was scanned since then and shows the post."""
    query = """
        SELECT source FROM post_sources WHERE post_id = :post AND source <> :source
           AND missing_at IS NULL AND EXISTS (
               SELECT 1 FROM run_accounts JOIN posts ON posts.id = :post
                WHERE run_accounts.account_id = posts.account_id
                  AND run_accounts.source = post_sources.source AND complete
                  AND coalesce(finished_at, started_at) >= :since)
    """
    parameters = {"post": post.id, "source": source, "since": since}
    others = (name for (name,) in connection.execute(query, parameters).fetchall())
    return any(rank_of(name, ranks) >= rank_of(source, ranks) for name in others)


def _note_expired(
    connection: sqlite3.Connection, account_id: int, run_id: int, source: str,
    seen: Collection[str], now: str,
) -> None:  # fmt: skip
    """Add an event for each story that has expired, once."""
    published_before = timestamp(datetime.fromisoformat(now) - STORY_LIFE)
    query = f"""
        SELECT posts.id, record_id FROM posts
          JOIN post_sources ON post_id = posts.id AND source = ?
         WHERE account_id = ? AND kind IN ({_EXPIRING}) AND missing_at IS NULL AND created_at <= ?
    """
    found = connection.execute(query, (source, account_id, published_before)).fetchall()
    for post_id, record_id in found:
        if record_id not in seen:
            update(connection, "post_sources", _OF_SOURCE, (post_id, source), missing_at=now)
            _event(connection, post_id, run_id, now, "expired", source, None)


class _UnseenPost(NamedTuple):
    """A post that a scan should have shown and did not, and when it was missed before."""

    id: int
    record_id: str
    missing_at: str | None
    missing_updated_at: str | None
    removed_by_source_at: str | None


def _unseen_posts(connection: sqlite3.Connection, account_id: int, scan: Scan) -> list[_UnseenPost]:
    """Posts that the scan should have shown and did not."""
    above = "" if scan.floor is None else "AND created_at > :floor"  # else all, by an index alone
    every = connection.execute(
        f"SELECT id FROM posts WHERE account_id = :account {above}",
        {"account": account_id, "floor": scan.floor},
    )
    asked = scan.recognised.unmarked(post_id for (post_id,) in every)
    not_shown: list[_UnseenPost] = []
    while batch := list(islice(asked, _BATCH)):
        known = _posts_of_source(connection, batch, scan)
        not_shown += [post for post in known if post.record_id not in scan.seen]
    return [
        post
        for post in not_shown
        if not is_shown_elsewhere(connection, account_id, post.id, post.record_id, scan.seen)
    ]


def _posts_of_source(
    connection: sqlite3.Connection, ids: Sequence[int], scan: Scan
) -> Iterator[_UnseenPost]:
    """Those of rows above the floor that the scan should have shown, if its source had them."""
    query = f"""
        SELECT posts.id AS id, record_id, missing_at, missing_updated_at,
               post_sources.removed_at AS removed_by_source_at
          FROM json_each(:ids) CROSS JOIN posts ON posts.id = value
         CROSS JOIN post_sources ON post_id = posts.id AND source = :source AND view = :view
         WHERE posts.removed_at IS NULL AND kind NOT IN ({_EXPIRING})
           AND (:floor IS NULL OR created_at
               <= strftime('%Y-%m-%dT%H:%M:%fZ', posts.first_seen_at, '+1 day'))
    """
    parameters = {
        "ids": json.dumps(ids), "source": scan.source, "view": scan.view, "floor": scan.floor,
    }  # fmt: skip
    return objects(connection.execute(query, parameters), _UnseenPost)


def _event(
    connection: sqlite3.Connection, post_id: int, run_id: int, now: str, what: str, source: str,
    reason: str | None,
) -> None:  # fmt: skip
    insert(
        connection, "events", post_id=post_id, run_id=run_id, at=now, what=what, source=source,
        reason=reason,
    )  # fmt: skip
