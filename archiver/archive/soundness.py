"""Whether an error that nobody foresaw comes from a damaged database, or is a bug of ours.

Asked only when such an error was raised: it reads the whole database.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from archiver.archive.database import ROW_HASHED, applied_steps, open_to_read
from archiver.archive.opening import is_of_the_disk
from archiver.canonical import row_sha256

_NOT_OURS = (
    "sqlite_", "_sqlite_", "idx__sqlite_", "posts_fts_data", "posts_fts_idx", "posts_fts_docsize",
    "posts_fts_config",
)  # fmt: skip
"""How names begin of what SQLite and sqlite-utils define, each version in its own words."""


class Damage(NamedTuple):
    """What is wrong with a database, and whether the file itself is sound, but for some row."""

    what: str
    only_rows: bool = False


def find_corruption(path: Path) -> Damage | None:
    """The first thing that is wrong with a database; None where it is sound, or cannot be read."""
    try:
        with open_to_read(path) as connection:
            connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
            return next(_damage(connection), None)
    except sqlite3.DatabaseError as error:
        return None if is_of_the_disk(error) else Damage(str(error))
    except UnicodeDecodeError:
        return Damage("SQLite names something in it that is no text")


def damaged_row(connection: sqlite3.Connection) -> str | None:
    """What to say of a database in which rows are damaged, and nothing else; None elsewhere."""
    (path,) = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'")
    damage = find_corruption(Path(path[0]))
    return damage.what if damage is not None and damage.only_rows else None


def _damage(connection: sqlite3.Connection) -> Iterator[Damage]:
    yield from map(Damage, _altered_definitions(connection))
    for (line,) in connection.execute("PRAGMA integrity_check(1)"):
        if line != "ok":
            yield Damage(line)
    connection.execute("SELECT 1 FROM posts_fts LIMIT 1")  # fails where there is none to speak of
    for table in ROW_HASHED:
        yield from _altered_rows(connection, table)


def _altered_definitions(connection: sqlite3.Connection) -> Iterator[str]:
    """What the steps of the schema made and the database has no longer, or otherwise.

    What others have added, such as an index of their own, is none of our business.
    """
    from archiver.archive.schema import model  # noqa: PLC0415 — imports a tool for schemas

    query = "SELECT name, sql FROM sqlite_master"
    found = dict(connection.execute(query))
    for name, sql in model(applied_steps(connection)).execute(query).fetchall():
        if name not in found:
            yield f"{name} is gone"
        elif found[name] != sql and not name.startswith(_NOT_OURS):
            yield f"{name} is not defined as it was"


def _altered_rows(connection: sqlite3.Connection, table: str) -> Iterator[Damage]:
    cursor = connection.execute(f"SELECT * FROM {table}")
    columns = [description[0] for description in cursor.description]
    for values in cursor:
        row = dict(zip(columns, values, strict=True))
        if not _is_sound(table, row):
            yield Damage(f"A row of {table} is not as it was written", only_rows=True)


def _is_sound(table: str, row: dict[str, object]) -> bool:
    try:
        return row_sha256(table, row) == row["row_sha256"]
    except (UnicodeEncodeError, TypeError, OverflowError):
        return False
