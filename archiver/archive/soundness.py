"""Whether an error that nobody foresaw comes from a damaged database, or is a bug of ours.

Asked only when such an error was raised: it reads the whole database.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from archiver.archive.database import ROW_HASHED, open_to_read
from archiver.archive.intact import is_intact, tolerate
from archiver.archive.opening import is_of_the_disk


class Damage(NamedTuple):
    """What is wrong with a database, and whether the file itself is intact, but for some row."""

    what: str
    only_rows: bool = False


def find_corruption(path: Path) -> Damage | None:
    """The first thing that is wrong with a database; None where it is intact, or cannot be read."""
    try:
        with open_to_read(path) as connection:
            tolerate(connection)
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
    from archiver.archive.schema_objects import altered_objects  # noqa: PLC0415 — as database does

    for (_, name), wrong in altered_objects(connection):
        yield Damage(f"{name} {wrong}")
    for (line,) in connection.execute("PRAGMA integrity_check(1)"):
        if line != "ok":
            yield Damage(line)
    connection.execute("SELECT 1 FROM posts_fts LIMIT 1")  # fails where there is none to speak of
    for table in ROW_HASHED:
        yield from _altered_rows(connection, table)


def _altered_rows(connection: sqlite3.Connection, table: str) -> Iterator[Damage]:
    cursor = connection.execute(f"SELECT * FROM {table}")
    columns = [description[0] for description in cursor.description]
    for values in cursor:
        row = dict(zip(columns, values, strict=True))
        if not is_intact(table, row):
            yield Damage(f"A row of {table} is not as it was written", only_rows=True)
