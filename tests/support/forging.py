"""Alterations by somebody who knows the format, and makes all the hashes fit that they can."""

import sqlite3
from collections.abc import Callable
from typing import Any

from archiver.archive.hashed_rows import checksum_of, declared_key, with_hash
from archiver.archive.merkle import leaf_hash
from archiver.archive.row_objects import mappings
from support.damage import subject


def forge(connection: sqlite3.Connection, table: str, where: str, **values: Any) -> str:
    """Alter the first row, its hash and its table's checksum, as somebody who knows all would."""
    query = f"SELECT * FROM {table} WHERE {where} LIMIT 1"
    row = next(mappings(connection.execute(query)))
    key = declared_key(table)
    is_it = " AND ".join(f"{column} = ?" for column in key)
    old_key = [row[column] for column in key]
    new = with_hash(table, {**row, **values})
    assignments = ", ".join(f"{column} = ?" for column in new)
    connection.execute(f"UPDATE {table} SET {assignments} WHERE {is_it}", (*new.values(), *old_key))
    settle(connection, table)
    return subject(table, tuple(new[column] for column in key))


def settle(connection: sqlite3.Connection, table: str) -> None:
    """Make the checksum of a table that of its rows."""
    hashes = [digest for (digest,) in connection.execute(f"SELECT row_sha256 FROM {table}")]
    connection.execute(
        "UPDATE table_checksums SET rows = ?, sum = ? WHERE name = ?",
        (len(hashes), checksum_of(hashes), table),
    )


def rehash(connection: sqlite3.Connection, table: str) -> None:
    """Make the hash of every row of a table, and the checksum, those of its columns."""
    rows = list(mappings(connection.execute(f"SELECT * FROM {table}")))
    for row in rows:
        connection.execute(
            f"UPDATE {table} SET row_sha256 = ? WHERE id = ?",
            (with_hash(table, {k: v for k, v in row.items() if k != "row_sha256"})["row_sha256"],
             row["id"]),
        )  # fmt: skip
    settle(connection, table)


def rebuild(connection: sqlite3.Connection, alter: Callable[[str], str]) -> None:
    """Alter entries, and chain them anew."""
    rows = connection.execute("SELECT id, entry FROM ledger ORDER BY id").fetchall()
    old = new = ""
    for entry_id, entry in rows:
        altered = alter(entry.replace(old, new) if old else entry)
        old, new = leaf_hash(entry.encode()).hex(), leaf_hash(altered.encode()).hex()
        connection.execute("UPDATE ledger SET entry = ? WHERE id = ?", (altered, entry_id))


def without_triggers(connection: sqlite3.Connection) -> None:
    """Drop what keeps rows from being changed by accident."""
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name NOT LIKE '%fts%'"
    for (name,) in connection.execute(query).fetchall():
        connection.execute(f"DROP TRIGGER {name}")
