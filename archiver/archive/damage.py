"""Whether an unexpected error comes from a damaged database, or is a bug of this program.

Checked only after an error that damage can cause, and for a few seconds: of a large archive only a
part is read, and `archiver verify` reads the rest.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from archiver.archive.facts import ROW_HASHED
from archiver.archive.intact import accept_invalid_text, is_intact
from archiver.archive.opening import is_disk_error, open_to_read
from archiver.archive.row_objects import mappings

_SECONDS = 5.0
"""The time limit for reading the pages, and again for reading the rows."""

_OPCODES = 10_000
"""The clock is read after so many instructions of SQLite's virtual machine: a few milliseconds."""

_POSSIBLE_ERRORS = (sqlite3.DatabaseError, ValueError, TypeError, OverflowError)
"""Errors that damaged values cause: invalid UTF-8, times, JSON or numbers."""


class Damage(NamedTuple):
    """What is wrong with a database; `only_rows` where the file itself is intact."""

    what: str
    only_rows: bool = False


def may_be_damage(error: BaseException) -> bool:
    """Whether a damaged database can have caused an error, or one of a group of errors."""
    if isinstance(error, BaseExceptionGroup):
        return any(map(may_be_damage, error.exceptions))
    return isinstance(error, _POSSIBLE_ERRORS)


def find_corruption(path: Path, now: Callable[[], float] = time.monotonic) -> Damage | None:
    """The first damage found in a database within a few seconds.

    None where nothing was found, or it cannot be read. `now` is a clock, in seconds.
    """
    try:
        with open_to_read(path) as connection:
            accept_invalid_text(connection)
            damage: Damage | None = None
            with _limited(connection, now):
                damage = next(_damaged_file(connection), None)
            if damage is None:
                with _limited(connection, now):
                    damage = next(_damaged_rows(connection), None)
            return damage
    except sqlite3.DatabaseError as error:
        return None if is_disk_error(error) else Damage(str(error))
    except UnicodeDecodeError:
        return Damage("a name in its schema is not valid UTF-8")


def damaged_row(connection: sqlite3.Connection, error: BaseException) -> str | None:
    """What is damaged, where an error comes from a damaged row in an intact file; else None."""
    if not may_be_damage(error):
        return None
    (path,) = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'")
    damage = find_corruption(Path(path[0]))
    return damage.what if damage is not None and damage.only_rows else None


@contextmanager
def _limited(connection: sqlite3.Connection, now: Callable[[], float]) -> Iterator[None]:
    """Interrupt the queries of the block after some seconds."""
    end = now() + _SECONDS
    connection.set_progress_handler(lambda: now() > end, _OPCODES)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
    finally:
        connection.set_progress_handler(None, 0)


def _damaged_file(connection: sqlite3.Connection) -> Iterator[Damage]:
    from archiver.archive.schema_objects import altered_objects  # noqa: PLC0415 — imports a tool for schemas

    for (_, name), wrong in altered_objects(connection):
        yield Damage(f"{name} {wrong}")
    for (line,) in connection.execute("PRAGMA quick_check(1)"):
        if line != "ok":
            yield Damage(line)
    connection.execute("SELECT 1 FROM posts_fts LIMIT 1")  # fails where there is none to speak of


def _damaged_rows(connection: sqlite3.Connection) -> Iterator[Damage]:
    for table in ROW_HASHED:
        yield from _altered_rows(connection, table)


def _altered_rows(connection: sqlite3.Connection, table: str) -> Iterator[Damage]:
    cursor = connection.execute(f"SELECT * FROM {table}")
    for row in mappings(cursor):
        if not is_intact(table, row):
            yield Damage(f"A row of {table} does not match its hash", only_rows=True)
