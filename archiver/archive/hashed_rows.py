"""Rows with their hash and the checksums of their tables: what every writing of a row needs."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from operator import itemgetter
from typing import Any

from archiver.canonical import encoded_rows, row_digest, row_sha256, shortened

CHECKSUM_DIGITS = 12
"""How many hex digits of each row's hash are summed in `table_checksums`."""
CHECKSUM_MASK = (1 << 62) - 1
"""Keeps the sum within what SQLite can add without overflow."""

_NUL = "\u2400"  # a picture of it: SQLite functions would cut the text there

_AT_ONCE = 32
"""How many rows one statement adds: each statement opens its table and all indexes anew."""

_PLAIN = frozenset({str, int, bytes, type(None)})
"""Types of values that are hashed as they are, except text that is not clean."""

_KEYS = {
    "about": ("name",),
    "attachment_sources": ("attachment_id", "source", "key"),
    "media": ("sha256",),
    "metrics": ("post_id", "attachment_id", "name", "seen_at"),
    "package_posts": ("post_id",),
    "post_aliases": ("post_id", "scheme", "value"),
    "post_sources": ("post_id", "source"),
}
"""The primary keys of tables without a rowid."""

_DECLARED = _KEYS | {
    "run_accounts": ("run_id", "name", "source"),
    "storage_totals": ("account_id",),
}  # fmt: skip
WITHOUT_ID = frozenset(_DECLARED)
"""Tables whose rows have no `id` of their own."""


def write_rows(
    connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Add rows that all have the same columns, with their hashes; in a transaction."""
    values = list(map(itemgetter(*rows[0]), rows))  # faster than a lookup of each by its name
    many = len(values) - len(values) % _AT_ONCE
    groups = (values[start : start + _AT_ONCE] for start in range(0, many, _AT_ONCE))
    connection.executemany(
        insert_statement(table, rows[0], rows=_AT_ONCE),
        (tuple(chain.from_iterable(group)) for group in groups),
    )
    connection.executemany(insert_statement(table, rows[0]), values[many:])
    update_checksum(connection, table, added=[row["row_sha256"] for row in rows])


def key_of(table: str) -> tuple[str, ...]:
    """The key columns of a table."""
    return _KEYS.get(table, ("rowid",))


def declared_key(table: str) -> tuple[str, ...]:
    """The columns of a table's primary key as the schema declares it.

    Unlike a rowid, its values stay when SQLite rebuilds the file.
    """
    return _DECLARED.get(table, ("id",))


def checksum_of(hashes: Iterable[str]) -> int:
    """The checksum of rows with these hashes, as in `table_checksums`."""
    return sum(map(_number, hashes)) & CHECKSUM_MASK


def _number(digest: str) -> int:
    try:
        return int(digest[:CHECKSUM_DIGITS], 16)
    except ValueError:  # a damaged hash; whoever checks its row will say so
        return 0


def update_checksum(
    connection: sqlite3.Connection, table: str, *, removed: Sequence[str] = (),
    added: Sequence[str] = (),
) -> None:  # fmt: skip
    """Keep the checksum of a table after rows with these hashes were removed and added."""
    moved = (checksum_of(added) - checksum_of(removed)) & CHECKSUM_MASK
    connection.execute(
        f"UPDATE table_checksums SET rows = rows + ?, sum = (sum + ?) & {CHECKSUM_MASK} "
        "WHERE name = ?",
        (len(added) - len(removed), moved, table),
    )


def with_hash(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it is written: cleaned, and with its hash."""
    clean = clean_row(row)
    clean["row_sha256"] = row_sha256(table, clean)
    return clean


def hash_rows(table: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Make rows as they are written, each as `with_hash` does; returns their whole hashes."""
    digests = _digests_of_plain(table, rows)
    if digests is None:
        for row in rows:
            row.update(clean_row(row))
        digests = [row_digest(table, row) for row in rows]
    for row, digest in zip(rows, digests, strict=True):
        row["row_sha256"] = shortened(table, digest)
    return digests


def _digests_of_plain(table: str, rows: Sequence[dict[str, Any]]) -> list[str] | None:
    """The whole hashes of rows whose values need no cleaning; None where one may need it.

    Checked is what has been encoded: text that is not Unicode cannot be, and NUL is escaped.
    """
    columns = sorted(rows[0])
    if len(columns) < 2 or {*map(len, rows)} != {len(columns)}:
        return None
    values = list(map(itemgetter(*columns), rows))
    if not {*map(type, chain.from_iterable(values))} <= _PLAIN:
        return None
    try:
        encoded = encoded_rows(table, columns, values)
    except UnicodeEncodeError:
        return None
    if any(b"\\u0000" in each for each in encoded):
        return None
    return [sha256(each).hexdigest() for each in encoded]


def insert_statement(
    table: str, row: Mapping[str, Any], verb: str = "INSERT", *, rows: int = 1
) -> str:
    """The statement that adds a row with the columns of `row`, or so many rows at once."""
    values = f"({', '.join('?' * len(row))})"
    return f"{verb} INTO {table} ({', '.join(row)}) VALUES {', '.join([values] * rows)}"


def clean_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with values as columns have them: well-formed text, and booleans as 0 and 1."""
    clean = dict(row)
    for column, value in row.items():
        if value is None:
            continue
        if isinstance(value, str):
            if "\x00" in value or not value.isascii():
                clean[column] = clean_text(value)
        elif value is True or value is False:
            clean[column] = int(value)
    return clean


def clean_text(text: str) -> str:
    """Well-formed Unicode without NUL. The raw record keeps the original text."""
    if "\x00" in text:
        text = text.replace("\x00", _NUL)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
    return text
