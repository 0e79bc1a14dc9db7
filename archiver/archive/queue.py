"""The queue of files to fetch: rows of `renditions`, newest posts first, and no other state."""

import heapq
import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from archiver.archive import playlists
from archiver.archive.losses import mark_recovered
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert, insert_all, update, update_row, update_rows
from archiver.archive.storage_totals import track_totals
from archiver.archive.transactions import transaction
from archiver.models import timestamp
from archiver.reasons import Reason, columns

MEDIA_TRIES = 3  # a 404 on so many days is believed
_DAY = timedelta(hours=23)  # a day, less the slack of a nightly run
_LONGEST_WAIT = timedelta(days=30)
_SLACK = timedelta(days=1)  # a clock may be set back a little while a file waits


@dataclass(frozen=True, slots=True)
class QueuedFile:
    """One file to fetch.

    `record_id` is what its source calls the post, `attachment_key` what it calls the attachment.
    `expected_sha256` and `expected_size` are what the source says of the bytes. `lost` is the
    SHA-256 of those that it had, where they were lost; `published_at` the time of its post.
    """

    rendition_id: int
    attachment_id: int
    attachment_key: str
    post_id: int
    account_id: int
    source: str
    record_id: str
    kind: str
    role: str
    media_key: str
    url: str
    content_type: str | None
    tries: int
    reason_code: str | None
    expected_sha256: str | None
    expected_size: int | None
    lost: str | None
    published_at: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is now in the store; `recovered` where it took the place of a damaged one.

    A playlist is stored, but not as the file that it lists: that stays `not_offered`.

    `reason` is what makes it less than certain that it is complete, if anything does.
    """

    wanted: QueuedFile
    sha256: str
    path: str
    size: int
    content_type: str
    width: int | None
    height: int | None
    duration_ms: int | None
    is_playlist: bool = False
    recovered: bool = False
    reason: Reason | None = None

    @property
    def state(self) -> Literal["stored", "not_offered"]:
        """The state that its rendition ends in."""
        return "not_offered" if self.is_playlist else "stored"


@dataclass(frozen=True, slots=True)
class NotStored:
    """A file that was not downloaded this time."""

    wanted: QueuedFile
    state: Literal["failed", "gone", "refused"]
    reason: Reason


# a time further off than any wait was set by a wrong clock
DUE = "(next_try_at <= :now OR next_try_at > :too_late)"
"""Whether a failed file is to be tried; goes with `due_at`."""

WAITS = f"(state = 'pending' OR (state = 'failed' AND {DUE}))"
"""Whether a file is to be fetched now; goes with `due_at`."""

_PENDING = "state = 'pending'"
_FAILED = "state = 'failed'"
# the list of states is that of an index, which SQLite uses only where it sees its very words
_REFUSED = "state IN ('omitted', 'not_offered', 'gone', 'refused') AND state = 'refused'"
_WAITING = (_PENDING, f"{_FAILED} AND {DUE}")
_OF_ACCOUNTS = "account_id IN (SELECT value FROM json_each(:accounts))"

_UNUSED = frozenset({"reason", "setting"})
"""Read so that a row in which they are damaged is found here, where its account can be left out,
and not when a batch of all accounts is written."""

_QUEUED = """
    SELECT renditions.id AS rendition_id, attachments.id AS attachment_id,
           coalesce((SELECT own.key FROM attachment_sources AS own
                      WHERE own.attachment_id = attachments.id AND own.source = renditions.source
                      LIMIT 1), attachments.key) AS attachment_key,
           posts.id AS post_id, renditions.account_id, renditions.source,
           coalesce((SELECT record_id FROM post_sources AS own WHERE own.post_id = posts.id
                        AND own.source = renditions.source), posts.platform_id) AS record_id,
           attachments.kind, role, media_key, renditions.url, renditions.content_type, tries,
           reason_code, expected_sha256, expected_size, media_sha256 AS lost, reason, setting,
           published_at
      FROM renditions INDEXED BY {index}
     CROSS JOIN attachments ON attachments.id = attachment_id
     CROSS JOIN posts ON posts.id = post_id
     WHERE renditions.account_id = :account AND {waiting} AND renditions.url IS NOT NULL
       AND renditions.id NOT IN (SELECT value FROM json_each(:in_hand))
     ORDER BY published_at DESC, renditions.id LIMIT :limit
"""

_QUEUES = (
    _QUEUED.format(index="renditions_pending", waiting=_WAITING[0]),
    _QUEUED.format(index="renditions_failed", waiting=_WAITING[1]),
)


def take(
    connection: sqlite3.Connection, account_ids: Collection[int], now: str, *,
    in_hand: Collection[int] = (), limit: int = 64,
) -> list[QueuedFile]:  # fmt: skip
    """The next files to fetch, newest posts first, leaving out those in hand.

    Each account has a queue of its own in the index, from which no more is read than is taken.
    """
    parameters = due_at(now) | {"in_hand": json.dumps(list(in_hand)), "limit": limit}
    with ExitStack() as stack:
        queues = [
            stack.enter_context(
                closing(connection.execute(query, parameters | {"account": account}))
            )
            for account in account_ids
            for query in _QUEUES
        ]
        files = (objects(cursor, QueuedFile, without=_UNUSED) for cursor in queues)
        merged = heapq.merge(*files, key=_sort_key, reverse=True)
        return list(islice(merged, limit))


def _sort_key(file: QueuedFile) -> tuple[str, int]:
    """In descending order: newest posts first, and of one post the lowest id first."""
    return file.published_at or "", -file.rendition_id


def count(connection: sqlite3.Connection, account_ids: Collection[int], now: str) -> int:
    """How many files are waiting."""
    parts = (
        f"SELECT count(*) AS n FROM renditions WHERE {_OF_ACCOUNTS} AND {waiting} "
        "AND url IS NOT NULL"
        for waiting in _WAITING
    )
    query = f"SELECT sum(n) FROM ({' UNION ALL '.join(parts)})"
    waiting: int = connection.execute(query, _parameters(account_ids, now)).fetchone()[0]
    return waiting


def retry_now(connection: sqlite3.Connection, account_ids: Collection[int], now: str) -> None:
    """Make every failed and refused file of these accounts due."""
    with transaction(connection):
        accounts = {"accounts": json.dumps(list(account_ids))}
        failed, refused = (f"{state} AND {_OF_ACCOUNTS}" for state in (_FAILED, _REFUSED))
        update(connection, "renditions", failed, accounts, next_try_at=now)
        with_address = f"{refused} AND url IS NOT NULL"
        update(connection, "renditions", with_address, accounts, state="pending")


def retry_too_large(
    connection: sqlite3.Connection, account_ids: Collection[int], max_size: int
) -> None:
    """Queue files again that were too large for another limit (in bytes) than that of today."""
    where = f"""
        {_REFUSED} AND reason_code = 'too_large' AND setting IS NOT :setting AND {_OF_ACCOUNTS}
    """
    parameters = {"accounts": json.dumps(list(account_ids)), "setting": str(max_size)}
    with transaction(connection):
        update(connection, "renditions", where, parameters, state="pending")


def _parameters(account_ids: Collection[int], now: str) -> dict[str, object]:
    return {**due_at(now), "accounts": json.dumps(list(account_ids))}


def due_at(now: str) -> dict[str, str | None]:
    """The parameters of `DUE`."""
    too_late = datetime.fromisoformat(now) + _LONGEST_WAIT + _SLACK
    return {"now": now, "too_late": timestamp(too_late)}


def save(
    connection: sqlite3.Connection, outcomes: Iterable[Stored | NotStored], run_id: int,
    now: datetime,
) -> list[str]:  # fmt: skip
    """Write how it went with some files, in one transaction; the files are durable by now.

    Returns the state that each rendition ended in.
    """
    every = list(outcomes)
    with transaction(connection):
        _save_stored([each for each in every if isinstance(each, Stored)], connection, run_id, now)
        return [
            outcome.state
            if isinstance(outcome, Stored)
            else _save_not_stored(connection, outcome, run_id, now)
            for outcome in every
        ]


def held_file(connection: sqlite3.Connection, file: QueuedFile) -> Stored | None:
    """The file whose hash its source names, where it is stored already."""
    query = """
        SELECT sha256, path, size, content_type, width, height, duration_ms FROM media
         WHERE sha256 = ? AND lost_at IS NULL
    """
    row = connection.execute(query, (file.expected_sha256,)).fetchone()
    return None if row is None else Stored(file, *row)


def renew_url(connection: sqlite3.Connection, rendition_id: int, url: str) -> None:
    """Note a fresh address."""
    with transaction(connection):
        update_row(connection, "renditions", rendition_id, url=url)


def _save_stored(
    batch: Sequence[Stored], connection: sqlite3.Connection, run_id: int, now: datetime
) -> None:
    """A few statements for all of a batch."""
    at = timestamp(now) or ""
    query = """
        SELECT sha256, lost_at NOT NULL FROM media
         WHERE sha256 IN (SELECT value FROM json_each(?))
    """
    is_lost = dict(connection.execute(query, (json.dumps([file.sha256 for file in batch]),)))
    for stored in batch:
        if stored.sha256 in is_lost and (stored.recovered or is_lost[stored.sha256]):
            mark_recovered(connection, stored.sha256, run_id, at)
            is_lost[stored.sha256] = 0
        if stored.wanted.lost not in {None, stored.sha256}:
            text = f"{stored.wanted.lost} was lost here, and the source has other bytes now"
            _event(connection, stored.wanted, run_id, at, "replaced", Reason("lost", text))
    fresh = {file.sha256: file for file in reversed(batch) if file.sha256 not in is_lost}
    with track_totals(connection, _files_of(batch)):
        insert_all(connection, "media", [_media_row(file, at) for file in fresh.values()])
        _mark_stored(connection, batch)


def _files_of(batch: Sequence[Stored]) -> set[str]:
    """All files of a batch, with those that they take the place of."""
    return {name for file in batch for name in (file.sha256, file.wanted.lost) if name}


def _mark_stored(connection: sqlite3.Connection, batch: Sequence[Stored]) -> None:
    values = {
        file.wanted.rendition_id: {
            "state": file.state,
            **columns(playlists.MANIFEST_ONLY if file.is_playlist else file.reason),
            "media_sha256": file.sha256, "tries": 0, "next_try_at": None,
        }
        for file in batch
    }  # fmt: skip
    update_rows(connection, "renditions", values)
    for file in batch:
        if file.is_playlist:
            _want_stills(connection, file.wanted.attachment_id)


def _want_stills(connection: sqlite3.Connection, attachment_id: int) -> None:
    """With thumbnails = false, a still is left out only where its original is here."""
    update(
        connection, "renditions",
        "attachment_id = ? AND state = 'skipped' AND reason_code = 'setting_thumbnails'",
        (attachment_id,), state="pending", **columns(None),
    )  # fmt: skip


def _want_of_other_sources(connection: sqlite3.Connection, wanted: QueuedFile) -> None:
    """A file that could not be had through one source may be had through another."""
    update(
        connection, "renditions",
        "attachment_id = ? AND source <> ? AND state = 'skipped' AND reason_code = 'other_source'",
        (wanted.attachment_id, wanted.source), state="pending", **columns(None),
    )  # fmt: skip


def _media_row(file: Stored, at: str) -> dict[str, object]:
    return {
        "sha256": file.sha256, "path": file.path, "size": file.size,
        "content_type": file.content_type, "width": file.width, "height": file.height,
        "duration_ms": file.duration_ms, "stored_at": at,
    }  # fmt: skip


def _save_not_stored(
    connection: sqlite3.Connection, outcome: NotStored, run_id: int, now: datetime
) -> str:
    wanted = outcome.wanted
    code = outcome.reason.code
    tries = wanted.tries + 1 if wanted.reason_code == code else 1
    state: str = outcome.state
    if code == "not_found" and tries >= MEDIA_TRIES:
        state = "gone"
    next_try_at = timestamp(now + retry_wait(code, tries)) if state == "failed" else None
    update(  # another rendition may have brought the lost bytes of this one
        connection, "renditions", "id = ? AND state <> 'stored'", (wanted.rendition_id,),
        state=state, **columns(outcome.reason), tries=tries, next_try_at=next_try_at,
    )  # fmt: skip
    if state == "gone":
        _event(connection, wanted, run_id, timestamp(now) or "", "gone", outcome.reason)
    _want_stills(connection, wanted.attachment_id)
    _want_of_other_sources(connection, wanted)
    return state


def _event(
    connection: sqlite3.Connection, wanted: QueuedFile, run_id: int, at: str, what: str,
    reason: Reason,
) -> None:  # fmt: skip
    insert(
        connection, "events", post_id=wanted.post_id, run_id=run_id, at=at, what=what,
        attachment_id=wanted.attachment_id, reason_code=reason.code, reason=reason.text,
    )  # fmt: skip


def retry_wait(code: str, tries: int) -> timedelta:
    """A day for the first tries, so that a nightly run tries again; then longer and longer."""
    if code == "not_found":
        return _DAY
    doublings = min(max(0, tries - 3), 5)
    return min(_DAY * (1 << doublings), _LONGEST_WAIT)
