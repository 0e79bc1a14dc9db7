"""Erasing posts from the database: every row of them, and what other rows hold of them."""

import json
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import Any

from archiver.archive.answers import is_about, without_ids, without_records
from archiver.archive.blanking import BlankedPart, blank_commitments
from archiver.archive.ledger import RowKey
from archiver.archive.row_objects import mappings
from archiver.archive.rows import erase_rows, insert
from archiver.archive.storage_totals import track_totals
from archiver.archive.tombstones import add_account_tombstone, add_tombstones

_POSTS = "SELECT value FROM json_each(?)"
_ATTACHMENTS = f"SELECT id FROM attachments WHERE post_id IN ({_POSTS})"
_RENDITIONS = f"SELECT id FROM renditions WHERE attachment_id IN ({_ATTACHMENTS})"
_ROWS = {
    "media_origins": f"rendition_id IN ({_RENDITIONS})",
    "resolutions": f"rendition_id IN ({_RENDITIONS})",
    "renditions": f"attachment_id IN ({_ATTACHMENTS})",
    "attachment_sources": f"attachment_id IN ({_ATTACHMENTS})",
    "events": f"post_id IN ({_POSTS})",
    "metrics": f"post_id IN ({_POSTS})",
    "attachments": f"post_id IN ({_POSTS})",
    "revisions": f"post_id IN ({_POSTS})",
    "relations": f"post_id IN ({_POSTS})",
    "post_aliases": f"post_id IN ({_POSTS})",
    "package_posts": f"post_id IN ({_POSTS})",
    "post_sources": f"post_id IN ({_POSTS})",
    "posts": f"id IN ({_POSTS})",
}
"""Which rows are of a post, by table: what refers to others comes first."""

_UNUSED = """
    sha256 IN (SELECT value FROM json_each(?))
       AND sha256 NOT IN (SELECT media_sha256 FROM renditions WHERE media_sha256 IS NOT NULL)
       AND sha256 NOT IN (SELECT media_sha256 FROM account_pictures WHERE media_sha256 IS NOT NULL)
       AND sha256 NOT IN (SELECT media_sha256 FROM media_origins)
       AND sha256 NOT IN
           (SELECT playlist_sha256 FROM media_origins WHERE playlist_sha256 IS NOT NULL)
"""


@dataclass(slots=True)
class ErasedRows:
    """What was erased: how many rows by table, and what the ledger held of them.

    `files` and `bytes` are of media that no other post uses; `shared` are those that stay since
    another does. Of the kept answers of sources, `rewritten` had other posts too, and `emptied`
    have no body any more; of others only the address named a post, which are `readdressed`.
    `profiles` are of accounts that have no posts any more.
    """

    counts: Counter[str] = field(default_factory=Counter)
    files: int = 0
    bytes: int = 0
    shared: int = 0
    rewritten: int = 0
    emptied: int = 0
    readdressed: int = 0
    profiles: int = 0
    blanked: list[BlankedPart] = field(default_factory=list)
    keys: dict[str, list[RowKey]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Traces:
    """By what the posts are found in what is not theirs alone."""

    ids: frozenset[str]
    texts: frozenset[str]
    earlier: frozenset[str]
    accounts: str  # row ids, as JSON


def erase_posts(
    connection: sqlite3.Connection, post_ids: Sequence[int], erasure_id: int, now: str
) -> ErasedRows:
    """Erase posts from all tables, and leave their tombstones; in a transaction."""
    chosen = json.dumps(list(post_ids))
    erased = ErasedRows()
    traces = _traces(connection, chosen)
    add_tombstones(connection, erasure_id, chosen)
    connection.execute("PRAGMA defer_foreign_keys = ON")
    _erase_emoji(connection, erased, chosen, traces.accounts)
    hashes = _files(connection, chosen)
    with track_totals(connection, hashes):
        for table, where in _ROWS.items():
            _erase(connection, erased, table, where, (chosen,))
        _erase_files(connection, erased, hashes)
    _erase_profiles(connection, erased, traces.accounts, erasure_id)
    _erase_quarantined(connection, erased, traces)
    _cut_responses(connection, erased, traces, erasure_id, now)
    _forget_cursors(connection, erased, traces)
    erased.blanked = blank_commitments(connection, erased.keys)
    return erased


def _erase_profiles(
    connection: sqlite3.Connection, erased: ErasedRows, accounts: str, erasure_id: int
) -> None:
    """Erase who those of the accounts are that have no posts any more; in a transaction.

    `accounts` are row ids as JSON. The label stays, which is the operator's word.
    """
    query = f"""
        SELECT * FROM accounts WHERE id IN ({_POSTS})
           AND id NOT IN (SELECT account_id FROM posts)
    """
    rows = list(mappings(connection.execute(query, (accounts,))))
    chosen = json.dumps([row["id"] for row in rows])
    of_account = f"account_id IN ({_POSTS})"
    hashes = list(
        filter(None, _column(connection.execute(
            f"SELECT media_sha256 FROM account_pictures WHERE {of_account}", (chosen,)
        )))
    )  # fmt: skip
    _erase(
        connection, erased, "response_cuts",
        f"response_id IN (SELECT id FROM responses WHERE {of_account})", (chosen,),
    )  # fmt: skip
    for table in ("account_profiles", "account_pictures", "quarantine", "responses"):
        _erase(connection, erased, table, of_account, (chosen,))
    with track_totals(connection, hashes):
        _erase_files(connection, erased, hashes)
    for row in rows:
        add_account_tombstone(connection, erasure_id, row["platform"], row["platform_id"])
        blank = dict.fromkeys(("platform_id", "handle", "title", "url"))
        _replace(connection, erased, "accounts", row | blank)
    erased.profiles = len(rows)


def _erase(
    connection: sqlite3.Connection, erased: ErasedRows, table: str, where: str,
    parameters: Sequence[object],
) -> None:  # fmt: skip
    keys = erase_rows(connection, table, where, parameters)
    erased.counts[table] += len(keys)
    erased.keys.setdefault(table, []).extend(keys)


def _replace(
    connection: sqlite3.Connection, erased: ErasedRows, table: str, row: dict[str, Any]
) -> None:
    """Put a row in the place of that with its id: as an update, the ledger would keep its hash."""
    keys = erase_rows(connection, table, "id = ?", (row["id"],))
    erased.keys.setdefault(table, []).extend(keys)
    row.pop("row_sha256")
    insert(connection, table, **row)


def _traces(connection: sqlite3.Connection, chosen: str) -> _Traces:
    names = f"""
        SELECT platform_id FROM posts WHERE id IN ({_POSTS})
         UNION SELECT record_id FROM post_sources WHERE post_id IN ({_POSTS})
         UNION SELECT value FROM post_aliases WHERE post_id IN ({_POSTS})
    """
    texts = f"""
        SELECT text FROM posts WHERE id IN ({_POSTS})
         UNION SELECT title FROM posts WHERE id IN ({_POSTS})
         UNION SELECT alt_text FROM attachments WHERE post_id IN ({_POSTS})
    """
    earlier = f"SELECT earlier_text FROM posts WHERE id IN ({_POSTS}) AND earlier_text IS NOT NULL"
    lines = (text.splitlines() for text in _column(connection.execute(earlier, (chosen,))))
    accounts = f"SELECT DISTINCT account_id FROM posts WHERE id IN ({_POSTS})"
    return _Traces(
        frozenset(filter(None, _column(connection.execute(names, (chosen,) * 3)))),
        frozenset(filter(None, _column(connection.execute(texts, (chosen,) * 3)))),
        frozenset(chain.from_iterable(lines)),
        json.dumps(list(_column(connection.execute(accounts, (chosen,))))),
    )


def _column(rows: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    return (row[0] for row in rows)


def _files(connection: sqlite3.Connection, chosen: str) -> list[str]:
    """The hashes of all files of the posts, also of those that others have too."""
    query = f"""
        SELECT media_sha256 FROM renditions WHERE id IN ({_RENDITIONS})
         UNION SELECT media_sha256 FROM media_origins WHERE rendition_id IN ({_RENDITIONS})
         UNION SELECT playlist_sha256 FROM media_origins WHERE rendition_id IN ({_RENDITIONS})
    """
    return [digest for digest in _column(connection.execute(query, (chosen,) * 3)) if digest]


def _erase_files(connection: sqlite3.Connection, erased: ErasedRows, hashes: Sequence[str]) -> None:
    """Erase the rows of files that nothing else uses; `cleaning` deletes the files themselves."""
    chosen = json.dumps(hashes)
    query = f"SELECT count(*), coalesce(sum(size), 0) FROM media WHERE {_UNUSED}"
    files, size = connection.execute(query, (chosen,)).fetchone()
    erased.files += files
    erased.bytes += size
    _erase(connection, erased, "media", _UNUSED, (chosen,))
    query = "SELECT count(*) FROM media WHERE sha256 IN (SELECT value FROM json_each(?))"
    erased.shared += connection.execute(query, (chosen,)).fetchone()[0]


def _erase_quarantined(connection: sqlite3.Connection, erased: ErasedRows, traces: _Traces) -> None:
    """Erase records that could not be read, and are of these posts."""
    query = f"SELECT id, raw FROM quarantine WHERE account_id IN ({_POSTS})"
    found = [
        row_id
        for row_id, raw in connection.execute(query, (traces.accounts,)).fetchall()
        if is_about(raw, traces.ids, traces.texts, traces.earlier)
    ]
    _erase(connection, erased, "quarantine", f"id IN ({_POSTS})", (json.dumps(found),))


def _cut_responses(
    connection: sqlite3.Connection, erased: ErasedRows, traces: _Traces, erasure_id: int, now: str
) -> None:
    """Take the posts out of the kept answers of their sources."""
    query = f"SELECT id FROM responses WHERE account_id IN ({_POSTS})"
    for response_id in list(_column(connection.execute(query, (traces.accounts,)))):
        found = connection.execute("SELECT * FROM responses WHERE id = ?", (response_id,))
        row = next(mappings(found))
        cut: dict[str, Any] = {
            name: without_ids(row[name], traces.ids.__contains__)
            for name in ("url", "headers")
        }  # fmt: skip
        is_readdressed = any(row[name] != value for name, value in cut.items())
        body, left, taken = _without(row["body"], traces)
        if left == body and not is_readdressed:
            continue
        if left == body:
            _replace(connection, erased, "responses", row | cut)
            erased.readdressed += 1
            continue
        now_held = left or b""
        cut |= {"body": zlib.compress(now_held), "body_sha256": sha256(now_held).hexdigest()}
        _replace(connection, erased, "responses", row | cut)
        insert(
            connection, "response_cuts", response_id=response_id, erasure_id=erasure_id, at=now,
            records=0 if left is None else taken,
        )  # fmt: skip
        if left is None:
            erased.emptied += 1
        else:
            erased.rewritten += 1


def _without(compressed: bytes, traces: _Traces) -> tuple[bytes | None, bytes | None, int]:
    """A body, the same without the posts, and how many records were taken out of it."""
    try:
        body = zlib.decompress(compressed)
    except zlib.error:
        return None, None, 0  # damaged: nobody can read it
    return body, *without_records(body, traces.ids, traces.texts, traces.earlier)


def _forget_cursors(connection: sqlite3.Connection, erased: ErasedRows, traces: _Traces) -> None:
    """Forget where an unfinished scan goes on, if that names one of the posts."""
    query = f"SELECT * FROM coverage WHERE account_id IN ({_POSTS}) AND next IS NOT NULL"
    for row in list(mappings(connection.execute(query, (traces.accounts,)))):
        if without_ids(row["next"], traces.ids.__contains__) != row["next"]:
            _replace(connection, erased, "coverage", row | {"next": None})


def _erase_emoji(
    connection: sqlite3.Connection, erased: ErasedRows, chosen: str, accounts: str
) -> None:
    """Erase the pictures of custom emoji that only these posts have, in any of their versions."""
    query = f"""
        SELECT id, media_key, media_sha256 FROM account_pictures
         WHERE kind = 'emoji' AND account_id IN ({_POSTS})
    """
    found = [
        (row_id, digest)
        for row_id, key, digest in connection.execute(query, (accounts,)).fetchall()
        if _is_named(connection, key, "IN", accounts, chosen)
        and not _is_named(connection, key, "NOT IN", accounts, chosen)
    ]
    chosen_pictures = json.dumps([row_id for row_id, _ in found])
    hashes = [digest for _, digest in found if digest is not None]
    with track_totals(connection, hashes):
        _erase(connection, erased, "account_pictures", f"id IN ({_POSTS})", (chosen_pictures,))
        _erase_files(connection, erased, hashes)


def _is_named(
    connection: sqlite3.Connection, key: str, which: str, accounts: str, chosen: str
) -> bool:
    """Whether a post of the accounts that is `IN` the chosen, or `NOT IN`, has an emoji."""
    posts = f"""
        post_id IN (SELECT id FROM posts WHERE account_id IN ({_POSTS}) AND id {which} ({_POSTS}))
    """
    query = f"""
        SELECT 1 FROM (SELECT raw AS text FROM revisions WHERE {posts}
             UNION ALL SELECT extra FROM post_sources WHERE {posts})
         WHERE instr(text, ?) OR instr(text, ?) LIMIT 1
    """
    marks = (key, key.replace("/", "\\/"))  # as JSON may have it
    return connection.execute(query, (accounts, chosen) * 2 + marks).fetchone() is not None
