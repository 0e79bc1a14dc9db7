"""Rows with a flipped bit, put back as they were: their own hash proves which bit it was.

Nothing is ever made up. A row is written only when the candidate, every column of it, has exactly
the hash that was stored with the row. What no candidate explains stays as it is, and is named.
"""

import sqlite3
import struct
from collections.abc import Iterator
from typing import Any

from archiver.archive.rows import insert, put_back
from archiver.canonical import row_sha256
from archiver.evidence.backup_copy import BackupCopy
from archiver.evidence.findings import BadRow
from archiver.evidence.rows import is_sound, read_row

Row = dict[str, Any]

_LARGEST = 32_768
"""Bytes of a row up to which every bit of it is tried: the time grows by the square of them."""

_SHORT = 4_096
"""The same, where it is only to be found out whether there is any use in it."""

_INT64 = 1 << 64
_POST_OF = {
    "posts": "SELECT id FROM posts WHERE rowid = ?",
    "sightings": "SELECT post_id FROM sightings WHERE rowid = ?",
    "renditions": """
        SELECT post_id FROM renditions JOIN attachments ON attachments.id = attachment_id
         WHERE renditions.id = ?""",
} | {
    table: f"SELECT post_id FROM {table} WHERE rowid = ?"
    for table in ("relations", "revisions", "attachments", "events")
}
"""The post that a row is about, so that the post's history tells of the mending."""


def repair_row(
    connection: sqlite3.Connection, bad: BadRow, now: str, second: BackupCopy | None = None
) -> bool:
    """Put one damaged row back, if its hash proves what it was; in a transaction.

    A second copy is asked first: that takes less time than trying every bit.
    """
    row = read_row(connection, bad.table, bad.key)
    if row is None or is_sound(bad.table, row):
        return False
    whole = second.row(bad.table, bad.key, row["row_sha256"]) if second else None
    whole = whole or proven(connection, bad.table, row)
    if whole is None:
        return False
    put_back(connection, bad.table, bad.key, whole)
    _note(connection, bad, now)
    return True


def is_repairable(connection: sqlite3.Connection, bad: BadRow) -> bool:
    """Whether `repair_row` could put a row back; for a long one, finding out takes too long."""
    row = read_row(connection, bad.table, bad.key)
    if row is None:
        return False
    return _SHORT < _size(row) <= _LARGEST or proven(connection, bad.table, row) is not None


def proven(connection: sqlite3.Connection, table: str, row: Row) -> Row | None:
    """The row as it was written, where a candidate has the very hash of it."""
    for candidate in _candidates(connection, table, row):
        if is_sound(table, candidate):
            return candidate
    return None


def _candidates(connection: sqlite3.Connection, table: str, row: Row) -> Iterator[Row]:
    if (digest := _flipped_hash(table, row)) is not None:
        yield row | {"row_sha256": digest}
    if table == "posts":  # the same record is kept with its revision
        query = "SELECT raw FROM revisions WHERE post_id = ? ORDER BY number DESC"
        for (raw,) in connection.execute(query, (row["id"],)):
            yield row | {"raw": raw}
    if table == "revisions":  # and the other way round
        query = "SELECT raw FROM posts WHERE id = ?"
        for (raw,) in connection.execute(query, (row["post_id"],)):
            yield row | {"raw": raw}
    if _size(row) > _LARGEST:
        return
    for column, value in row.items():
        for other in _one_bit_off(value):
            yield row | {column: other}


def _size(row: Row) -> int:
    return sum(len(value) for value in row.values() if isinstance(value, str | bytes))


def _flipped_hash(table: str, row: Row) -> str | None:
    """The hash of the row as it stands, where the stored one is a single bit away from it."""
    try:
        digest = row_sha256(table, row)
    except (UnicodeEncodeError, TypeError, OverflowError):
        return None
    return digest if row["row_sha256"] in set(_one_bit_off(digest, text_only=False)) else None


def _one_bit_off(value: Any, *, text_only: bool = True) -> Iterator[Any]:
    """Every value that differs from this one by a single bit, as it lies in the file."""
    if isinstance(value, int):
        unsigned = value % _INT64
        for bit in range(64):
            other = unsigned ^ (1 << bit)
            yield other - _INT64 if other >> 63 else other
    elif isinstance(value, float):
        (bits,) = struct.unpack("<Q", struct.pack("<d", value))
        for bit in range(64):
            yield struct.unpack("<d", struct.pack("<Q", bits ^ (1 << bit)))[0]
    elif isinstance(value, bytes):
        yield from _flips(value)
    elif isinstance(value, str):
        for data in _flips(value.encode("utf-8", "surrogateescape")):
            try:
                yield data.decode("utf-8", "strict" if text_only else "surrogateescape")
            except UnicodeDecodeError:
                continue


def _flips(data: bytes) -> Iterator[bytes]:
    for position, byte in enumerate(data):
        for bit in range(8):
            yield data[:position] + bytes((byte ^ (1 << bit),)) + data[position + 1 :]


def _note(connection: sqlite3.Connection, bad: BadRow, now: str) -> None:
    query = _POST_OF.get(bad.table)
    if bad.table in {"metrics", "post_aliases"}:
        post_id: Any = bad.key[0]
    elif query is None:
        return
    else:
        (post_id,) = connection.execute(query, bad.key).fetchone() or (None,)
    if post_id is None:
        return
    run_id = connection.execute("SELECT max(id) FROM runs").fetchone()[0]
    reason = f"{bad} was damaged, and is again what its hash says"
    insert(
        connection, "events", post_id=post_id, run_id=run_id, at=now, what="mended", reason=reason
    )
