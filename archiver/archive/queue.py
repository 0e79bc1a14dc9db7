"""The queue of files to fetch: rows of `renditions`, newest posts first. It has no other state."""

import heapq
import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from msgspec import Struct

from archiver.archive import playlists
from archiver.archive.losses import mark_recovered
from archiver.archive.origins import MediaOrigin, add_origin
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert, insert_all, insert_new, update, update_row, update_rows
from archiver.archive.storage_totals import track_totals
from archiver.archive.transactions import transaction
from archiver.models import time_text, timestamp
from archiver.reasons import Choice, Reason, columns

GIVEN_ELSEWHERE = Reason("given_elsewhere", "another source gives this file")
NOT_OFFERED = Reason("not_offered", "the source gives no file of it")

MEDIA_TRIES = 3  # a 404 on so many days is believed
_DAY = timedelta(hours=23)  # a day, less the slack of a nightly run
_LONGEST_WAIT = timedelta(days=30)
_SLACK = timedelta(days=1)  # a clock may be set back a little while a file waits


class QueuedFile(Struct, frozen=True):
    """One file to fetch.

    `record_id` and `attachment_key` are the source's ids of the post and the attachment.
    `expected_sha256` and `expected_size` are those that the source states. `lost` is the SHA-256 of
    the stored file, where that was lost; `playlist` that of the stored playlist of which no film
    could be made yet; `published_at` is the time of its post.
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
    playlist: str | None = None


class FilmVariant(Struct, frozen=True):
    """Another file that a playlist offers; `url` is where this program finds it.

    It is another version of the film, or, by its `role`, subtitles.
    """

    name: str
    url: str
    content_type: str
    width: int | None
    height: int | None
    bitrate: int | None
    choice: Choice
    role: Literal["variant", "subtitles"] = "variant"


class Stored(Struct, frozen=True):
    """A file that is now in the store; `recovered` where it replaced a damaged one.

    A playlist is stored, but not as the film that it lists: that stays `not_offered`; `reason` then
    says why no film could be made of it, and `next_try_at` when it is asked for again.

    Of any other file, `reason` says why it may be incomplete, where that is not certain. `origin`
    says how a file was made here, `variants` which other versions of it are offered.
    """

    queued: QueuedFile
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
    next_try_at: str | None = None
    origin: MediaOrigin | None = None
    variants: tuple[FilmVariant, ...] = ()

    @property
    def state(self) -> Literal["stored", "not_offered"]:
        """The state that its rendition ends in."""
        return "not_offered" if self.is_playlist else "stored"


class NotStored(Struct, frozen=True):
    """A file that was not downloaded this time.

    `films` says what films could be made of here.
    """

    queued: QueuedFile
    state: Literal["failed", "gone", "refused"]
    reason: Reason
    films: str | None = None


# a time beyond the longest wait was set by a wrong clock
IS_DUE = "(next_try_at <= :now OR next_try_at > :too_late)"
"""Condition: a failed file is due. Its parameters are `due_parameters`."""

IS_WAITING = f"(state = 'pending' OR (state = 'failed' AND {IS_DUE}))"
"""Condition: a file is to be fetched now. Its parameters are `due_parameters`."""

_PENDING = "state = 'pending'"
_FAILED = "state = 'failed'"
_UNFINISHED = "SELECT attachment_id, state, next_try_at FROM renditions WHERE account_id = :account"
_FEW = 500  # a list of more waiting files takes longer to read than those of a page of posts
# the list of states is that of an index, which SQLite uses only where it sees its very words
_REFUSED = "state IN ('omitted', 'not_offered', 'gone', 'refused') AND state = 'refused'"
_WAITING = (
    _PENDING, f"{_FAILED} AND {IS_DUE}",
    f"{playlists.HOLDS_PLAYLIST} AND (setting IS NOT :films OR {IS_DUE})",
)  # fmt: skip
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
           reason_code, expected_sha256, expected_size,
           iif(state = 'not_offered', NULL, media_sha256) AS lost,
           iif(state = 'not_offered', media_sha256, NULL) AS playlist, reason, setting,
           published_at
      FROM renditions INDEXED BY {index}
     CROSS JOIN attachments ON attachments.id = attachment_id
     CROSS JOIN posts ON posts.id = post_id
     WHERE renditions.account_id = :account AND {waiting} AND renditions.url IS NOT NULL
       AND renditions.id NOT IN (SELECT value FROM json_each(:in_progress))
     ORDER BY published_at DESC, renditions.id LIMIT :limit
"""

_QUEUES = (
    _QUEUED.format(index="renditions_pending", waiting=_WAITING[0]),
    _QUEUED.format(index="renditions_failed", waiting=_WAITING[1]),
    _QUEUED.format(index="renditions_playlists", waiting=_WAITING[2]),
)


def due_files(
    connection: sqlite3.Connection, account_ids: Collection[int], now: str, *,
    in_progress: Collection[int] = (), limit: int = 64, films: str | None = None,
) -> list[QueuedFile]:  # fmt: skip
    """The next files to fetch, newest posts first, without those in progress.

    Each account has its own part of the indexes, of which no more rows are read than returned.
    `films` says what films can be made of here: playlists that were tried when that was something
    else are among the files.
    """
    parameters = due_parameters(now) | {
        "in_progress": json.dumps(list(in_progress)),
        "limit": limit,
        "films": films,
    }
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


def count(
    connection: sqlite3.Connection, account_ids: Collection[int], now: str,
    films: str | None = None,
) -> int:  # fmt: skip
    """How many files are waiting; see `take`."""
    parts = (
        f"SELECT count(*) AS n FROM renditions WHERE {_OF_ACCOUNTS} AND {waiting} "
        "AND url IS NOT NULL"
        for waiting in _WAITING
    )
    query = f"SELECT sum(n) FROM ({' UNION ALL '.join(parts)})"
    parameters = {**_parameters(account_ids, now), "films": films}
    waiting: int = connection.execute(query, parameters).fetchone()[0]
    return waiting


def retry_now(connection: sqlite3.Connection, account_ids: Collection[int], now: str) -> None:
    """Make every failed and refused file of these accounts due, and what is a playlist only."""
    with transaction(connection):
        accounts = {"accounts": json.dumps(list(account_ids))}
        failed, refused = (f"{state} AND {_OF_ACCOUNTS}" for state in (_FAILED, _REFUSED))
        update(connection, "renditions", failed, accounts, next_try_at=now)
        held = f"{playlists.HOLDS_PLAYLIST} AND {_OF_ACCOUNTS}"
        update(connection, "renditions", held, accounts, next_try_at=now)
        with_address = f"{refused} AND url IS NOT NULL"
        update(connection, "renditions", with_address, accounts, state="pending")


def retry_too_large(
    connection: sqlite3.Connection, account_ids: Collection[int], max_size: int
) -> None:
    """Queue files again that were too large for another limit (in bytes) than the current one."""
    where = f"""
        {_REFUSED} AND reason_code = 'too_large' AND setting IS NOT :setting AND {_OF_ACCOUNTS}
    """
    parameters = {"accounts": json.dumps(list(account_ids)), "setting": str(max_size)}
    with transaction(connection):
        update(connection, "renditions", where, parameters, state="pending")


def _parameters(account_ids: Collection[int], now: str) -> dict[str, object]:
    return {**due_parameters(now), "accounts": json.dumps(list(account_ids))}


def due_parameters(now: str) -> dict[str, str | None]:
    """The parameters of `IS_DUE`."""
    too_late = datetime.fromisoformat(now) + _LONGEST_WAIT + _SLACK
    return {"now": now, "too_late": timestamp(too_late)}


def waiting_posts(
    connection: sqlite3.Connection, account_id: int, now: str
) -> frozenset[int] | None:
    """The posts of an account with files that are to be fetched now; None where they are many."""
    query = f"""
        WITH unfinished AS (
            SELECT * FROM ({_UNFINISHED} AND {_PENDING} LIMIT :limit)
             UNION ALL
            SELECT * FROM ({_UNFINISHED} AND {_FAILED} LIMIT :limit))
        SELECT post_id, {IS_WAITING} FROM unfinished CROSS JOIN attachments ON id = attachment_id
    """
    parameters = {"account": account_id, "limit": _FEW, **due_parameters(now)}
    rows = connection.execute(query, parameters).fetchall()
    if len(rows) >= _FEW:
        return None
    return frozenset(post_id for post_id, is_waiting in rows if is_waiting)


def save(
    connection: sqlite3.Connection, outcomes: Iterable[Stored | NotStored], run_id: int,
    now: datetime,
) -> list[str]:  # fmt: skip
    """Save the results of some files, in one transaction; the files are durable already.

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


def stored_file(connection: sqlite3.Connection, file: QueuedFile) -> Stored | None:
    """The stored file with the hash that the source states; None where there is none."""
    query = """
        SELECT sha256, path, size, content_type, width, height, duration_ms FROM media
         WHERE sha256 = ? AND lost_at IS NULL
    """
    row = connection.execute(query, (file.expected_sha256,)).fetchone()
    return None if row is None else Stored(file, *row)


def save_url(connection: sqlite3.Connection, rendition_id: int, url: str) -> None:
    """Save a fresh address of a file."""
    with transaction(connection):
        update_row(connection, "renditions", rendition_id, url=url)


def _save_stored(
    batch: Sequence[Stored], connection: sqlite3.Connection, run_id: int, now: datetime
) -> None:
    """Save the stored files of a batch, with a few statements for all of them."""
    at = time_text(now)
    query = """
        SELECT sha256, lost_at NOT NULL FROM media
         WHERE sha256 IN (SELECT value FROM json_each(?))
    """
    is_lost = dict(connection.execute(query, (json.dumps([file.sha256 for file in batch]),)))
    for stored in batch:
        if stored.sha256 in is_lost and (stored.recovered or is_lost[stored.sha256]):
            mark_recovered(connection, stored.sha256, run_id, at)
            is_lost[stored.sha256] = 0
        if stored.queued.lost not in {None, stored.sha256}:
            text = f"{stored.queued.lost} was lost here, and the source has other bytes now"
            _event(connection, stored.queued, run_id, at, "replaced", Reason("lost", text))
    fresh = {file.sha256: file for file in reversed(batch) if file.sha256 not in is_lost}
    with track_totals(connection, _files_of(batch)):
        insert_all(connection, "media", [_media_row(file, at) for file in fresh.values()])
        _mark_stored(connection, batch)
    _mark_given_elsewhere(connection, {file.queued.attachment_id for file in batch})
    for file in batch:
        _save_origin(connection, file, at)


def _files_of(batch: Sequence[Stored]) -> set[str]:
    """The hashes of a batch's files, and of the lost ones and playlists that they replace."""
    return {
        name
        for file in batch
        for name in (file.sha256, file.queued.lost, file.queued.playlist)
        if name
    }


def _mark_stored(connection: sqlite3.Connection, batch: Sequence[Stored]) -> None:
    values = {
        file.queued.rendition_id: {
            "state": file.state,
            **columns(file.reason),
            "media_sha256": file.sha256, "tries": 0, "next_try_at": file.next_try_at,
        }
        for file in batch
    }  # fmt: skip
    update_rows(connection, "renditions", values)
    for file in batch:
        if file.is_playlist:
            _queue_stills(connection, file.queued.attachment_id)


def _mark_given_elsewhere(connection: sqlite3.Connection, attachment_ids: Collection[int]) -> None:
    """Mark files that one source only names while another has given them: they are not missing.

    Nor are those that a resolver could not get from behind their page.
    """
    where = """
        attachment_id IN (SELECT value FROM json_each(?))
           AND (state = 'not_offered' AND reason_code = 'not_offered'
                OR state = 'failed' AND url IS NULL AND reason_code <> 'no_address')
           AND role IN ('original', 'variant')
           AND EXISTS (SELECT 1 FROM renditions AS other
                WHERE other.attachment_id = renditions.attachment_id
                  AND other.source <> renditions.source AND other.state = 'stored'
                  AND other.role IN ('original', 'variant'))
    """
    ids = (json.dumps(list(attachment_ids)),)
    update(
        connection, "renditions", where, ids, state="skipped", **columns(GIVEN_ELSEWHERE),
        next_try_at=None,
    )  # fmt: skip


def _save_origin(connection: sqlite3.Connection, file: Stored, at: str) -> None:
    """Of a file that was made here: what it was made of, and which variants there are besides."""
    queued = file.queued
    if file.origin is not None:
        add_origin(connection, queued.rendition_id, file.sha256, file.origin, at, queued.playlist)
    for variant in file.variants:
        state, reason = variant.choice
        insert_new(
            connection, "renditions", attachment_id=queued.attachment_id,
            account_id=queued.account_id, source=queued.source, role=variant.role,
            media_key=f"{queued.media_key}#{variant.name}", url=variant.url,
            content_type=variant.content_type, width=variant.width, height=variant.height,
            bitrate=variant.bitrate, state=state, **columns(reason), tries=0,
            published_at=queued.published_at,
        )  # fmt: skip


def _queue_stills(connection: sqlite3.Connection, attachment_id: int) -> None:
    """Queue stills that were skipped for `thumbnails = false`: their original is not stored."""
    update(
        connection, "renditions",
        "attachment_id = ? AND state = 'skipped' AND reason_code = 'setting_thumbnails'",
        (attachment_id,), state="pending", **columns(None),
    )  # fmt: skip


def _queue_from_other_sources(connection: sqlite3.Connection, queued: QueuedFile) -> None:
    """Queue the same file from other sources, after it failed from this one."""
    update(
        connection, "renditions",
        "attachment_id = ? AND source <> ? AND state = 'skipped' AND reason_code = 'other_source'",
        (queued.attachment_id, queued.source), state="pending", **columns(None),
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
    queued = outcome.queued
    if queued.playlist is not None:
        return _keep_playlist(connection, outcome, now)
    code = outcome.reason.code
    tries = queued.tries + 1 if queued.reason_code == code else 1
    state: str = outcome.state
    if code == "not_found" and tries >= MEDIA_TRIES:
        state = "gone"
    next_try_at = timestamp(now + retry_wait(code, tries)) if state == "failed" else None
    update(  # another rendition may have brought the lost bytes of this one
        connection, "renditions", "id = ? AND state <> 'stored'", (queued.rendition_id,),
        state=state, **columns(outcome.reason), tries=tries, next_try_at=next_try_at,
    )  # fmt: skip
    if state == "gone":
        _event(connection, queued, run_id, time_text(now), "gone", outcome.reason)
    _queue_stills(connection, queued.attachment_id)
    _queue_from_other_sources(connection, queued)
    return state


def _keep_playlist(connection: sqlite3.Connection, outcome: NotStored, now: datetime) -> str:
    """Keep the playlist of a film that could not be made; it is tried again later."""
    queued = outcome.queued
    tries = queued.tries + 1
    reason = playlists.MANIFEST_ONLY._replace(
        text=f"{playlists.MANIFEST_ONLY.text}. {outcome.reason.text}", setting=outcome.films
    )
    update_row(
        connection, "renditions", queued.rendition_id, **columns(reason), tries=tries,
        next_try_at=timestamp(now + retry_wait(reason.code, tries)),
    )  # fmt: skip
    return "not_offered"


def _event(
    connection: sqlite3.Connection, queued: QueuedFile, run_id: int, at: str, what: str,
    reason: Reason,
) -> None:  # fmt: skip
    insert(
        connection, "events", post_id=queued.post_id, run_id=run_id, at=at, what=what,
        attachment_id=queued.attachment_id, reason_code=reason.code, reason=reason.text,
    )  # fmt: skip


def retry_wait(code: str, tries: int) -> timedelta:
    """The wait before the next try: a day at first, so that a nightly run retries, then longer."""
    if code == "not_found":
        return _DAY
    doublings = min(max(0, tries - 3), 5)
    return min(_DAY * (1 << doublings), _LONGEST_WAIT)
