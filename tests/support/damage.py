"""Tools to damage an archive below the program, and the list of the bad archives made so."""

import random
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archiver.archive.database import DATABASE, ROW_HASHED
from archiver.archive.hashed_rows import key_of

Damage = Callable[[Path], str]
"""Damages the archive in a folder, and returns what the finding must name."""


@dataclass(frozen=True)
class Bad:
    """One bad archive. `finding` is what verify says, `exit_code` what it tells the shell.

    With `opens` false the database is beyond reading, and the error itself is the finding.
    """

    name: str
    damage: Damage
    finding: str
    exit_code: int = 7
    opens: bool = True


BAD: list[Bad] = []


def bad(finding: str, **more: Any) -> Callable[[Damage], Damage]:
    """Add a damage to the set, under its function's name."""

    def add(damage: Damage) -> Damage:
        BAD.append(Bad(damage.__name__, damage, finding, **more))
        return damage

    return add


@contextmanager
def raw(archive: Path) -> Iterator[sqlite3.Connection]:
    """The database as any program sees it, with no trigger in the way."""
    connection = sqlite3.connect(archive / DATABASE)
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name NOT LIKE '%fts%'"
    triggers = connection.execute(query).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    for _, sql in triggers:
        connection.execute(sql)
    connection.commit()
    connection.close()


def run_sql(archive: Path, script: str) -> None:
    """Run SQL as any program might, triggers and all."""
    connection = sqlite3.connect(archive / DATABASE)
    connection.executescript(script)
    connection.close()


def flip(data: bytes, bit: int) -> bytes:
    """The same bytes with one bit the other way."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def contents(archive: Path) -> dict[str, list[Any]]:
    """All rows, without the events that tell of repairs."""
    connection = sqlite3.connect(archive / DATABASE)
    rows = {
        table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
        for table in ROW_HASHED
        if table not in {"events", "media", "ledger", "ledger_rows"}
    }
    query = "SELECT * FROM events WHERE what <> 'repaired'"
    rows["events"] = connection.execute(query).fetchall()
    rows["media"] = connection.execute("SELECT sha256, path, size FROM media").fetchall()
    connection.close()
    return rows


def subject(table: str, key: tuple[object, ...]) -> str:
    """How a finding names a row."""
    return f"{table} {' / '.join(map(str, key))}"


Key = tuple[object, ...]


def flipped(chance: random.Random, value: Any) -> tuple[str, Any]:
    """An SQL expression and its parameter: the value with one bit the other way."""
    if isinstance(value, int):
        bits = int.from_bytes(flip(value.to_bytes(8, "little", signed=True), chance.randrange(64)),
            "little", signed=True)  # fmt: skip
        return "?", bits
    if isinstance(value, float):
        data = flip(struct.pack("<d", value), chance.randrange(52))
        return "?", struct.unpack("<d", data)[0]
    data = value if isinstance(value, bytes) else value.encode()
    data = flip(data, chance.randrange(8 * len(data)))
    return ("?" if isinstance(value, bytes) else "CAST(? AS TEXT)"), data


def flip_every_row(
    connection: sqlite3.Connection, chance: random.Random, *, keys: bool
) -> dict[str, set[Key]]:
    """Flip one bit in one cell of every row; returns the keys of what was flipped."""
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    done: dict[str, set[Key]] = {table: set() for table in ROW_HASHED}
    for table in ROW_HASHED:
        key_columns = key_of(table)
        query = f"SELECT {', '.join(key_columns)}, * FROM {table}"
        cursor = connection.execute(query)
        columns = [description[0] for description in cursor.description]
        for found in cursor.fetchall():
            key, row = found[: len(key_columns)], dict(zip(columns, found, strict=True))
            cells = [
                column
                for column in columns[len(key_columns) :]
                if row[column] not in {None, ""}
                and (keys or (column not in key_columns and column not in {"id", "post_id"}))
            ]
            column = chance.choice(cells)
            expression, value = flipped(chance, row[column])
            is_it = " AND ".join(f"{name} = ?" for name in key_columns)
            change = f"UPDATE {table} SET {column} = {expression} WHERE {is_it} RETURNING "
            try:
                (new_key,) = connection.execute(
                    change + ", ".join(key_columns), (value, *key)
                ).fetchall()
            except sqlite3.IntegrityError:  # two rows would have become one
                continue
            done[table].add(new_key)
    return done
