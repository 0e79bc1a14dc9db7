"""Checks the schema of an archive against the one that this program makes, and repairs it.

Rows can be intact while what protects them is missing: a unique index, a trigger that forbids to
change an event. A foreign trigger on one of our tables is worse: it can write or drop rows whenever
the program writes. Tables, views and indexes that users add are allowed.
"""

import sqlite3
from collections.abc import Iterator

from archiver.archive.database import transaction
from archiver.archive.schema_objects import (
    Name,
    SchemaObject,
    altered_objects,
    expected_objects,
    schema_objects,
)
from archiver.evidence.findings import Finding


def check_schema(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Differences from the program's schema; harmless additions are reported as `extra`."""
    for name, wrong in altered_objects(connection):
        yield Finding("schema", " ".join(name), wrong)
    ours, here = expected_objects(connection), schema_objects(connection)
    for name in here.keys() - ours.keys():
        if _is_trigger_on(ours, name, here[name]):
            table, sql = here[name]
            detail = (
                f"was added outside archiver, and acts on writes to {table}: {_on_one_line(sql)}"
            )
            yield Finding("schema", " ".join(name), detail)
        else:
            yield Finding("extra", " ".join(name), "was added outside archiver, and does no harm")


def repair_schema(connection: sqlite3.Connection) -> int:
    """Rebuild indexes, triggers and views, and remove foreign triggers from our tables.

    Returns how many. Tables are not changed. An index that the rows violate is not made, nor is
    an object whose name another kind of object has. Raises StorageError.
    """
    ours, here = expected_objects(connection), schema_objects(connection)
    foreign = [name for name in here if name not in ours and _is_trigger_on(ours, name, here[name])]
    with transaction(connection):
        for kind, name in foreign:
            connection.execute(f"DROP {kind} {_quoted(name)}")
    changed = [name for name in ours if name[0] != "table" and here.get(name) != ours[name]]
    return len(foreign) + sum(_rebuild_object(connection, name, ours[name].sql) for name in changed)


def _rebuild_object(connection: sqlite3.Connection, name: Name, sql: str) -> bool:
    kind, word = name
    try:
        with transaction(connection):
            connection.execute(f"DROP {kind} IF EXISTS {_quoted(word)}")
            connection.execute(sql)
    except (sqlite3.IntegrityError, sqlite3.OperationalError) as error:
        if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_ERROR}:
            raise
        return False  # rows violate the index, or another object has its name
    return True


def _is_trigger_on(ours: dict[Name, SchemaObject], name: Name, part: SchemaObject) -> bool:
    """Whether it is a trigger on one of these tables or views; names ignore case in SQLite."""
    tables = {word.lower() for kind, word in ours if kind in {"table", "view"}}
    return name[0] == "trigger" and part.table.lower() in tables


def _on_one_line(sql: str) -> str:
    return " ".join(sql.split())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
