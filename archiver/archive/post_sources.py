"""Records that are as they were last saved, and need not be parsed again.

Parsing a record takes ten times as long as finding it here. A changed number makes another record,
which is read and compared; a new signature of a file's address does not.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct

from archiver.archive.queue import IS_WAITING, due_parameters, waiting_posts
from archiver.archive.row_objects import objects
from archiver.models import Post, Record
from archiver.record_hashes import exact_sha256, second_hash, unsigned_sha256

CUSTOM_EMOJI = "custom_emoji"
"""The field in `post_sources.extra` that has the addresses of a post's custom emoji."""


class UnchangedPost(Struct, frozen=True):
    """A post whose record has not changed, with the columns that a scan needs.

    `post_id` is the id of its row.
    """

    post_id: int
    platform_id: str
    created_at: str | None
    kind: str
    unmapped: tuple[str, ...] = ()


_NONE_WAITS = f"""
    AND NOT EXISTS (
        SELECT 1 FROM attachments JOIN renditions ON attachment_id = attachments.id
         WHERE post_id = posts.id AND {IS_WAITING})
"""


class _SavedRecord(NamedTuple):
    """A post, and what its unchanged record is recognised by."""

    post_id: int
    record_id: str
    record_sha256: bytes
    unsigned_sha256: bytes | None
    created_at: str | None
    kind: str
    unmapped: str | None


def find_unchanged(
    connection: sqlite3.Connection, account_id: int, source: str, records: Sequence[Record],
    ids: Sequence[str | None], *, reader: bytes, view: str, now: str,
) -> dict[int, UnchangedPost]:  # fmt: skip
    """The unchanged records, by their index: last saved with the same hash and the same reader.

    Left out are posts that were missed, that were last shown under other options, or whose files
    still wait for an address; and ids that come twice. `ids` are those of the records' posts, as
    far as they are known without reading them.
    """
    waiting = waiting_posts(connection, account_id, now)
    query = f"""
        SELECT post_id, record_id, record_sha256, unsigned_sha256, created_at, kind, unmapped
          FROM post_sources CROSS JOIN posts ON post_id = posts.id AND source = :source
         WHERE account_id = :account AND record_id IN (SELECT value FROM json_each(:ids))
           AND reader = :reader AND view = :view AND missing_at IS NULL
           AND posts.removed_at IS NULL {_NONE_WAITS if waiting is None else ""}
    """
    places = Counter(ids)
    parameters = {
        "account": account_id, "source": source, "reader": reader, "view": view,
        "ids": json.dumps([name for name in places if name is not None]), **due_parameters(now),
    }  # fmt: skip
    saved = objects(connection.execute(query, parameters), _SavedRecord)
    by_id: dict[str | None, _SavedRecord] = {
        row.record_id: row
        for row in saved
        if places[row.record_id] == 1 and not (waiting and row.post_id in waiting)
    }
    found = {}
    is_same, is_same_otherwise = _is_same_exactly, _is_same_unsigned
    for place, (record, name) in enumerate(zip(records, ids, strict=True)):
        row = by_id.get(name)
        if row is None:
            continue
        if not is_same(row, record):
            if not is_same_otherwise(row, record):
                continue
            # where one record was signed anew, so are those that follow
            is_same, is_same_otherwise = is_same_otherwise, is_same
        unmapped = _unmapped_of(row.unmapped) if row.unmapped else ()
        found[place] = UnchangedPost(row.post_id, row.record_id, row.created_at, row.kind, unmapped)
    return found


def _is_same_exactly(saved: _SavedRecord, record: Record) -> bool:
    return saved.record_sha256 == exact_sha256(record)


def _is_same_unsigned(saved: _SavedRecord, record: Record) -> bool:
    """Whether a record is the saved one, but for the signatures of its addresses."""
    return saved.unsigned_sha256 is not None and saved.unsigned_sha256 == unsigned_sha256(record)


def edit_times(
    connection: sqlite3.Connection, account_id: int, source: str, record_ids: Sequence[str]
) -> dict[str, str | None]:
    """When posts were last edited, as far as is known, by their ids in a source."""
    query = """
        SELECT record_id, edited_at FROM post_sources CROSS JOIN posts ON posts.id = post_id
         WHERE account_id = ? AND source = ? AND record_id IN (SELECT value FROM json_each(?))
    """
    return dict(connection.execute(query, (account_id, source, json.dumps(record_ids))).fetchall())


def shown_ids(
    connection: sqlite3.Connection, account_id: int, source: str, since: str | None
) -> list[str]:
    """The source's ids of the posts that it shows, newest first; since a time, or all."""
    query = """
        SELECT record_id FROM post_sources JOIN posts ON posts.id = post_id
         WHERE account_id = ? AND source = ? AND missing_at IS NULL AND posts.removed_at IS NULL
           AND (? IS NULL OR created_at >= ?) ORDER BY created_at DESC, post_id DESC
    """
    rows = connection.execute(query, (account_id, source, since, since)).fetchall()
    return [record_id for (record_id,) in rows]


def recognition_columns(record: Record, post: Post, reader: bytes | None) -> Mapping[str, Any]:
    """The columns by which an unchanged record is recognised; NULL where its reader is not known.

    After an answer with its id only, a post keeps the fingerprint of its earlier record.
    """
    if reader is None or post.id_only:
        return dict.fromkeys(("record_sha256", "unsigned_sha256", "reader", "unmapped"))
    return {
        "record_sha256": exact_sha256(record), "unsigned_sha256": second_hash(record, post),
        "reader": reader, "unmapped": unmapped_json(post),
    }  # fmt: skip


def extra_json(post: Post) -> str | None:
    """The fields of a post that only this source has, as the column has them."""
    if not post.extra and not post.emoji:
        return None
    extra = {each.name: {"value": each.value, "is_content": each.is_content} for each in post.extra}
    if post.emoji:
        extra[CUSTOM_EMOJI] = {"value": dict(post.emoji), "is_content": False}
    return json.dumps(extra, ensure_ascii=False, sort_keys=True)


def unmapped_json(post: Post) -> str | None:
    """The unmapped fields of a record, as the column has them."""
    return _text_of_unmapped(tuple(post.unmapped)) if post.unmapped else None


@lru_cache(64)
def _text_of_unmapped(names: tuple[str, ...]) -> str:
    return json.dumps(names)


@lru_cache(64)  # all records of a platform have the same unmapped fields
def _unmapped_of(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))
