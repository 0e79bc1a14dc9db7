"""Making a table anew, as SQLite's own procedure for what ALTER TABLE cannot do.

See "Making Other Kinds Of Table Schema Changes" on https://sqlite.org/lang_altertable.html. The
old table is set aside, the new one made by its plain statements, and the rows are copied in
batches, so that memory does not grow with the archive.
"""

import sqlite3
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from archiver.archive.steps.statements import statements
from archiver.canonical import row_sha256

_AT_ONCE = 1000
_OLD = "archiver_old"
_DIGITS = 12
CHECKSUM_MASK = (1 << 62) - 1
"""How `table_checksums` adds up hashes, see docs/schema.md."""
_RENAME_SUM = (
    f"UPDATE table_checksums SET name = ?, sum = (sum + ?) & {CHECKSUM_MASK} WHERE name = ?"
)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A table, the statements that make it, and where its columns come from.

    `changed` maps a column to an SQL expression over the `old` row; all others are copied. `former`
    is the name that the table had, if it had another.
    """

    table: str
    script: str
    changed: Mapping[str, str] = field(default_factory=dict)
    former: str = ""
    key: Sequence[str] = ("rowid",)


def rebuild(connection: sqlite3.Connection, what: Rebuild, indexes: Container[str]) -> None:
    """Make one table anew, with the rows of the old one; in a transaction.

    A row that is not as its hash says is copied with the hash that it has, and so stays damaged to
    see. Foreign keys must be off: rows that refer to others keep the numbers that they have.
    `indexes` are the names of those that this program made; one that a user made is made again
    where it still fits.
    """
    create, *rest = statements(what.script)
    former = what.former or what.table
    of_users = _take_off(connection, former, indexes)
    if connection.execute(f"SELECT 1 FROM {former} LIMIT 1").fetchone():
        _move(connection, create, what, former)
    else:  # as in a new archive, where renaming, which reads the whole schema, takes the longest
        connection.execute(f"DROP TABLE {former}")
        connection.execute(create)
        connection.execute(_RENAME_SUM, (what.table, 0, former))
    for statement in rest:
        connection.execute(statement)
    for statement in of_users:
        with suppress(sqlite3.Error):
            connection.execute(statement)


@contextmanager
def _names_stay(connection: sqlite3.Connection) -> Iterator[None]:
    """What refers to a table by its name goes on doing so when that table is set aside."""
    connection.execute("PRAGMA legacy_alter_table = ON")
    yield
    connection.execute("PRAGMA legacy_alter_table = OFF")


@contextmanager
def _tolerant(connection: sqlite3.Connection) -> Iterator[None]:
    """Damaged text is read, and told by its hash."""
    before = connection.text_factory
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    yield
    connection.text_factory = before


def _take_off(connection: sqlite3.Connection, former: str, indexes: Container[str]) -> list[str]:
    """Take its indexes and triggers off a table; returns the statements of users' indexes."""
    query = """
        SELECT type, name, sql FROM sqlite_master
         WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL
    """
    found = connection.execute(query, (former,)).fetchall()
    for kind, name, _ in found:
        connection.execute(f'DROP {kind} "{name}"')
    return [sql for kind, name, sql in found if kind == "index" and name not in indexes]


def _move(connection: sqlite3.Connection, create: str, what: Rebuild, former: str) -> None:
    """Set the old table aside, make the new one, and copy the rows."""
    with _names_stay(connection), _tolerant(connection):
        connection.execute(f"ALTER TABLE {former} RENAME TO {_OLD}")
        connection.execute(create)
        _copy_rows(connection, what, former)
        connection.execute(f"DROP TABLE {_OLD}")


def _copy_rows(connection: sqlite3.Connection, what: Rebuild, former: str) -> None:
    info = connection.execute(f"PRAGMA table_info({what.table})")
    columns = [row[1] for row in info if row[1] != "row_sha256"]
    key = what.key
    wanted = [f"({what.changed[c]}) AS {c}" if c in what.changed else f"old.{c}" for c in columns]
    select = f"{', '.join(wanted)} FROM {_OLD} AS old"
    insert = (
        f"INSERT INTO {what.table} ({', '.join(columns)}, row_sha256) "
        f"VALUES ({', '.join('?' * (len(columns) + 1))})"
    )
    copy = (
        f"INSERT INTO {what.table} ({', '.join(columns)}, row_sha256) "
        f"SELECT {', '.join(wanted)}, old.row_sha256 FROM {_OLD} AS old "
        f"WHERE {' AND '.join(f'CAST(old.{column} AS BLOB) = CAST(? AS BLOB)' for column in key)}"
    )
    in_order = ", ".join(f"old.{column}" for column in key)
    found = connection.execute(f"SELECT {in_order}, old.*, {select} ORDER BY {in_order}")
    names = [description[0] for description in found.description][len(key) : -len(columns)]
    moved = 0
    while batch := found.fetchmany(_AT_ONCE):
        rows = []
        for every in batch:
            values = every[len(key) :]
            old = dict(zip(names, values[: len(names)], strict=True))
            new = values[len(names) :]
            digest = _new_hash(former, old, what.table, dict(zip(columns, new, strict=True)))
            if digest is None:
                connection.execute(copy, [_as_bytes(part) for part in every[: len(key)]])
            else:
                rows.append((*new, digest))
                moved += hash_number(digest) - hash_number(old["row_sha256"])
        connection.executemany(insert, rows)
    connection.execute(_RENAME_SUM, (what.table, moved & CHECKSUM_MASK, former))


def _as_bytes(part: object) -> object:
    """A part of a key as it can be handed back, damaged text too."""
    return part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part


def hash_number(digest: str) -> int:
    """What a row's hash adds to the sum in `table_checksums`."""
    return int(digest[:_DIGITS], 16)


def _new_hash(
    former: str, old: Mapping[str, Any], table: str, new: Mapping[str, Any]
) -> str | None:
    """The hash of the new row, if the old one had the hash that it should."""
    try:
        if row_sha256(former, old) != old["row_sha256"]:
            return None
        return row_sha256(table, new)
    except (UnicodeEncodeError, TypeError, OverflowError):
        return None
