"""Tables, indexes, triggers and views of a database beside those that this program makes."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from archiver.archive.migrate import applied_steps
from archiver.archive.schema import model

_BY_LIBRARIES = {
    "_sqlite_migrations", *(f"posts_fts_{end}" for end in ("data", "idx", "docsize", "config")),
}  # fmt: skip
"""Tables that SQLite and sqlite-utils make for us, each version in words of its own."""


class SchemaObject(NamedTuple):
    """A table, index, trigger or view: the table that it is about, and its statement."""

    table: str
    sql: str


Name = tuple[str, str]
"""The kind of a schema object (table, index, trigger, view), and its name."""


def schema_objects(connection: sqlite3.Connection) -> dict[Name, SchemaObject]:
    """All but those that SQLite makes by itself, from the statements of the others."""
    query = """
        SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master
         WHERE NOT (type IN ('table', 'index') AND name LIKE 'sqlite\\_%' ESCAPE '\\')
    """
    return {
        (kind, name): SchemaObject(table, "" if name in _BY_LIBRARIES else sql)
        for kind, name, table, sql in connection.execute(query)
    }


def expected_objects(connection: sqlite3.Connection) -> dict[Name, SchemaObject]:
    """Those of an archive at the steps that this one has taken."""
    return schema_objects(model(applied_steps(connection)))


def altered_objects(connection: sqlite3.Connection) -> Iterator[tuple[Name, str]]:
    """Schema objects of this program that are missing or altered, and what is wrong with each."""
    here = schema_objects(connection)
    for name, expected in expected_objects(connection).items():
        if name not in here:
            yield name, "is missing"
        elif here[name] != expected:
            yield name, "is not as this program made it"
