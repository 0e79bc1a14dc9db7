"""One bit of the ledger the other way, drawn by Hypothesis; it is never what it was."""

import sqlite3
import zlib
from typing import Any

from hypothesis import strategies as st

from support.damage import flip

PROTECTED = {
    "ledger": ("entry",),
    "ledger_rows": (
        "entry_id", "table_name", "change", "count", "keys", "salts", "commitments", "before",
    ),
    "checkpoints": ("size", "root", "subtrees", "note"),
}  # fmt: skip
"""What of the ledger's own tables is protected by more than the hash of its row."""


def flip_a_bit(connection: sqlite3.Connection, data: st.DataObject) -> tuple[str, bool]:
    """Flip a bit of the ledger; returns the table, and whether the bit means anything."""
    table = data.draw(st.sampled_from(sorted(PROTECTED)))
    column = data.draw(st.sampled_from(PROTECTED[table]))
    query = f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY id"
    row_id, value = data.draw(st.sampled_from(connection.execute(query).fetchall()))
    new: Any
    if isinstance(value, int):
        change, new = "?", value ^ 1 << data.draw(st.integers(0, 40))
    else:
        plain = value if isinstance(value, bytes) else value.encode()
        new = flip(plain, data.draw(st.integers(0, 8 * len(plain) - 1)))
        change = "?" if isinstance(value, bytes) else "CAST(? AS TEXT)"
    connection.execute(f"UPDATE {table} SET {column} = {change} WHERE id = ?", (new, row_id))
    return table, not (column == "keys" and _unpacks_to(new, value))


def _unpacks_to(packed: bytes, other: bytes) -> bool:
    """Whether both unpack to the same: a few bits between the end of the data mean nothing."""
    try:
        return zlib.decompress(packed) == zlib.decompress(other)
    except zlib.error:
        return False
