# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Seventeenth step: the ledger, which begins with commitments to all rows that there are."""

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from archiver.archive.steps.rebuild import CHECKSUM_MASK, hash_number
from archiver.archive.steps.statements import statements
from archiver.canonical import row_digest, row_sha256

LEDGER = """
CREATE TABLE ledger (
    -- What was done, in order: an entry for every transaction, a leaf of the tree that checkpoints sign. See docs/evidence-format.md.
    id INTEGER PRIMARY KEY,      -- 1, 2, …
    entry TEXT NOT NULL,         -- JSON: when, in which run, what happened how often, hashes of the commitments to the rows, the hash of the entry before
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE TRIGGER ledger_stay BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'entries of the ledger are never changed'); END;
CREATE TRIGGER ledger_keep BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'entries of the ledger are never deleted'); END;

CREATE TABLE ledger_rows (
    -- The rows that an entry of the ledger commits to: those of one table that were added, changed or removed.
    id INTEGER PRIMARY KEY,
    entry_id INTEGER NOT NULL REFERENCES ledger(id),
    table_name TEXT NOT NULL,
    change TEXT NOT NULL,        -- added, changed, removed
    count INTEGER NOT NULL,      -- how many rows; keys, salts, commitments and before have one item for each, in the same order
    keys BLOB NOT NULL,          -- their primary keys: a JSON array, compressed with zlib
    salts BLOB NOT NULL,         -- 16 random bytes for each
    commitments BLOB NOT NULL,   -- for each the SHA-256 of its salt and its hash, 32 bytes each
    before BLOB,                 -- for changed and removed rows their hash before that, 32 bytes each; zeros: it was damaged
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX ledger_rows_entry ON ledger_rows(entry_id);
CREATE TRIGGER ledger_rows_keep BEFORE DELETE ON ledger_rows
    BEGIN SELECT RAISE(ABORT, 'commitments of the ledger are never deleted'); END;

CREATE TABLE checkpoints (
    -- The ledger at the end of a run, in one hash.
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,            -- when it was made
    run_id INTEGER REFERENCES runs(id),  -- at whose end
    size INTEGER NOT NULL,       -- entries in the ledger then
    root TEXT NOT NULL,          -- hash of the Merkle tree over them, in hex
    subtrees BLOB NOT NULL,      -- roots of the complete subtrees of the tree, 32 bytes each, from which the next one goes on
    note TEXT NOT NULL,          -- the checkpoint as text, in the tlog-checkpoint format
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE TRIGGER checkpoints_stay BEFORE UPDATE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER checkpoints_keep BEFORE DELETE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;
INSERT OR IGNORE INTO table_checksums (name, rows, sum)
    VALUES ('ledger', 0, 0), ('ledger_rows', 0, 0), ('checkpoints', 0, 0);
"""

_OWN = ("ledger", "ledger_rows", "checkpoints")
_AT_ONCE = 1000
_SALT = 16


def apply(connection: sqlite3.Connection) -> None:
    """Make the tables, and commit to every row of the others; in a transaction."""
    for statement in statements(LEDGER):
        connection.execute(statement)
    query = "SELECT name FROM table_checksums ORDER BY name"
    tables = [name for (name,) in connection.execute(query) if name not in _OWN]
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    previous: str | None = None
    number = 0
    with _invalid_text_accepted(connection):
        for table in tables:
            for rows in _digests(connection, table):
                number += 1
                previous = _write_entry(connection, number, table, rows, at, previous)


@contextmanager
def _invalid_text_accepted(connection: sqlite3.Connection) -> Iterator[None]:
    """Damaged text is read, and found by its hash."""
    before = connection.text_factory
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    yield
    connection.text_factory = before


def _digests(connection: sqlite3.Connection, table: str) -> Iterator[list[tuple[Any, bytes]]]:
    """The keys and whole hashes of a table's rows, a thousand at a time."""
    info = connection.execute(f"PRAGMA table_info({table})").fetchall()
    key = [name for _, name in sorted((row[5], row[1]) for row in info if row[5])]
    cursor = connection.execute(f"SELECT * FROM {table}")
    names = [description[0] for description in cursor.description]
    while batch := cursor.fetchmany(_AT_ONCE):
        rows = [dict(zip(names, values, strict=True)) for values in batch]
        digests = ((_key(row, key), _original_digest(table, row)) for row in rows)
        if some := [(key, digest) for key, digest in digests if digest is not None]:
            yield some


def _key(row: Mapping[str, Any], columns: Sequence[str]) -> Any:
    return row[columns[0]] if len(columns) == 1 else [row[column] for column in columns]


def _original_digest(table: str, row: Mapping[str, Any]) -> bytes | None:
    """The whole hash of a row as it was written.

    A damaged row still has that, but for the rows of `metrics`, which have its beginning only: for
    a damaged one of these it is None.
    """
    stored = row["row_sha256"]
    try:
        if row_sha256(table, row) == stored:
            return bytes.fromhex(row_digest(table, row))
    except (UnicodeEncodeError, TypeError, OverflowError):
        pass
    try:
        digest = bytes.fromhex(stored)
    except ValueError:
        return None
    return digest if len(digest) == sha256().digest_size else None


def _write_entry(
    connection: sqlite3.Connection, number: int, table: str, rows: Sequence[tuple[Any, bytes]],
    at: str, previous: str | None,
) -> str:  # fmt: skip
    """Write an entry that commits to rows of a table; returns its leaf hash."""
    salts = [os.urandom(_SALT) for _ in rows]
    commitments = b"".join(
        sha256(salt + digest).digest() for salt, (_, digest) in zip(salts, rows, strict=True)
    )
    entry = {
        "format": 1, "at": at, "previous": previous, "happened": {"ledger_begun": 1},
        "rows": [[table, "added", len(rows), sha256(commitments).hexdigest()]],
    }  # fmt: skip
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    keys = json.dumps([key for key, _ in rows], ensure_ascii=False, separators=(",", ":"))
    _insert(connection, "ledger", {"id": number, "entry": text})
    _insert(
        connection, "ledger_rows",
        {
            "id": number, "entry_id": number, "table_name": table, "change": "added",
            "count": len(rows), "keys": zlib.compress(keys.encode("utf-8", "surrogateescape"), 1),
            "salts": b"".join(salts), "commitments": commitments,
        },
    )  # fmt: skip
    return sha256(b"\0" + text.encode()).hexdigest()


def _insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    digest = row_sha256(table, row)
    columns, marks = ", ".join((*row, "row_sha256")), ", ".join("?" * (len(row) + 1))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", (*row.values(), digest))
    connection.execute(
        f"UPDATE table_checksums SET rows = rows + 1, sum = (sum + ?) & {CHECKSUM_MASK} "
        "WHERE name = ?", (hash_number(digest), table),
    )  # fmt: skip
