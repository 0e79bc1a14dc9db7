"""Extracts: smaller archives with some of another's rows, and all of its ledger.

The ledger of an archive commits to every row one by one. So an extract has all entries and
checkpoints of it, and of each row that it lacks the commitment alone: its key, its salt and its
earlier hash are hidden. What is there can be proved, and what is not there stays unknown.
A row of `about`, which no entry commits to, says that it is an extract, and what was chosen.
"""

import json
import sqlite3
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from archiver.archive.hashed_rows import declared_key
from archiver.archive.ledger import SALT_SIZE, RowKey
from archiver.archive.merkle import HASH_SIZE
from archiver.errors import StorageError

ABOUT = "extract"
"""The name of the row of `about`."""
COUNTED_ANEW = "storage_totals"
"""The table whose rows an extract has of its own: no entry commits to them."""
MAY_LACK = frozenset({"responses"})
"""Tables that an extract may lack rows of though others refer to them: one answer may hold many
posts."""


@dataclass(frozen=True, slots=True)
class ExtractNote:
    """What an extract says of itself. `made_at` is in UTC, ISO 8601; `chosen` is in words."""

    made_at: str
    chosen: str

    def text(self) -> str:
        """As the column has it."""
        return json.dumps(asdict(self), ensure_ascii=False)


def read_extract_note(connection: sqlite3.Connection) -> ExtractNote | None:
    """What an extract says of itself; None of a whole archive."""
    query = "SELECT value FROM about WHERE name = ?"
    row = connection.execute(query, (ABOUT,)).fetchone()
    if row is None:
        return None
    try:
        said = json.loads(row[0])
        return ExtractNote(str(said["made_at"]), str(said["chosen"]))
    except (ValueError, TypeError, KeyError):
        return ExtractNote("an unknown time", "unknown posts")


def refuse_extract(connection: sqlite3.Connection, directory: Path) -> None:
    """Raise StorageError for an extract: what is added to it would be a second ledger."""
    if (note := read_extract_note(connection)) is not None:
        raise StorageError(
            f"{directory} is an extract of an archive, which is only read",
            why=f"It was made at {note.made_at}, of {note.chosen}",
            kept="Nothing was changed",
            hint="Use the archive that it was made of",
            code="extract",
        )


def hide_rows(part: Mapping[str, Any], is_kept: Callable[[RowKey], bool]) -> dict[str, Any]:
    """A row of `ledger_rows` that says nothing of rows but of those that are kept.

    Of the others it has a key of NULL, a salt of zeros and an earlier hash of zeros.
    """
    keys = json.loads(zlib.decompress(part["keys"]))
    kept = [key is not None and is_kept(tuple(key) if isinstance(key, list) else key)
            for key in keys]  # fmt: skip
    found = dict(part)
    if all(kept):
        return found
    hidden = [key if is_one else None for key, is_one in zip(keys, kept, strict=True)]
    text = json.dumps(hidden, ensure_ascii=False, separators=(",", ":"))
    found["keys"] = zlib.compress(text.encode("utf-8", "surrogateescape"), 1)
    found["salts"] = _blanked(part["salts"], SALT_SIZE, kept)
    if part["before"] is not None:
        found["before"] = _blanked(part["before"], HASH_SIZE, kept)
    return found


def keys_in(connection: sqlite3.Connection, table: str, part: Mapping[str, Any]) -> set[RowKey]:
    """The keys that a row of `ledger_rows` has, of rows that `table` has here."""
    keys = [key for key in json.loads(zlib.decompress(part["keys"])) if key is not None]
    columns = declared_key(table)
    names = ", ".join(f"{table}.{column}" for column in columns)
    if len(columns) == 1:
        query = f"SELECT {names} FROM {table} WHERE {names} IN (SELECT value FROM json_each(?))"
        return {key for (key,) in connection.execute(query, (json.dumps(keys),))}
    condition = " AND ".join(
        f"{table}.{column} = json_extract(each.value, '$[{number}]')"
        for number, column in enumerate(columns)
    )
    query = f"SELECT {names} FROM json_each(?) AS each CROSS JOIN {table} ON {condition}"
    return set(connection.execute(query, (json.dumps(keys),)))


def _blanked(items: bytes, size: int, kept: list[bool]) -> bytes:
    return b"".join(
        items[number * size : (number + 1) * size] if is_one else bytes(size)
        for number, is_one in enumerate(kept)
    )
