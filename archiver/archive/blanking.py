"""Blanking what the ledger holds of rows that were erased.

Of each commitment to such a row the key, the salt and the hash before it are blanked; the
commitment itself stays, so the entry that names it is as it was, and those of all other rows hold.
Nobody can tell any more what it is of. Which ones were blanked is in the table `erasures`, to which
the ledger commits: one that was blanked by somebody else is a finding of verify.
"""

import json
import sqlite3
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archiver.archive.extracts import hide_rows
from archiver.archive.ledger import RowKey
from archiver.archive.row_objects import mappings
from archiver.archive.rows import update_row

Keys = Mapping[str, Collection[RowKey]]
"""The primary keys of rows, by table; None is no key."""


@dataclass(frozen=True, slots=True)
class BlankedPart:
    """A row of `ledger_rows`, and which of its items were blanked."""

    ledger_row: int
    entry: int
    table: str
    items: tuple[int, ...]


def blank_commitments(connection: sqlite3.Connection, erased: Keys) -> list[BlankedPart]:
    """Blank every commitment to these rows, in a transaction before its entry is written.

    Reads the keys of all commitments to rows of these tables.
    """
    found = []
    for table, keys in erased.items():
        wanted = frozenset(keys)
        query = "SELECT id FROM ledger_rows WHERE table_name = ?"
        parts = connection.execute(query, (table,)).fetchall() if wanted else []
        for (part_id,) in parts:
            if (blanked := _blank(connection, table, part_id, wanted)) is not None:
                found.append(blanked)
    return found


def _blank(
    connection: sqlite3.Connection, table: str, part_id: int, wanted: frozenset[RowKey]
) -> BlankedPart | None:
    query = "SELECT entry_id, keys, salts, before FROM ledger_rows WHERE id = ?"
    part = next(mappings(connection.execute(query, (part_id,))))
    try:
        keys = json.loads(zlib.decompress(part["keys"]))
    except (zlib.error, ValueError):
        return None  # damaged: verify says so
    items = tuple(number for number, key in enumerate(keys) if _row_key(key) in wanted)
    if not items:
        return None
    hidden = hide_rows(part, lambda key: key not in wanted)
    update_row(
        connection, "ledger_rows", part_id, keys=hidden["keys"], salts=hidden["salts"],
        before=hidden["before"],
    )  # fmt: skip
    return BlankedPart(part_id, part["entry_id"], table, items)


def _row_key(key: Any) -> RowKey:
    return tuple(key) if isinstance(key, list) else key


def blanked_json(parts: Collection[BlankedPart]) -> str:
    """The parts as the column `erasures.blanked` has them."""
    return json.dumps([[part.ledger_row, list(part.items)] for part in parts])


def blanked_items(connection: sqlite3.Connection) -> dict[int, set[int]]:
    """The items that erasures have blanked, by the ids of `ledger_rows`."""
    found: dict[int, set[int]] = {}
    for part, items in _all_blanked(connection):
        found.setdefault(part, set()).update(items)
    return found


def _all_blanked(connection: sqlite3.Connection) -> Iterator[tuple[int, list[int]]]:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'erasures'").fetchone():
        return
    for (text,) in connection.execute("SELECT blanked FROM erasures WHERE blanked IS NOT NULL"):
        yield from json.loads(text)
