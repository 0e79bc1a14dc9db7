"""Tables, indexes, triggers and views of a database, compared with those that we make."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.database import writer
from archiver.archive.schema import model
from archiver.archive.schema_objects import (
    SchemaObject,
    altered_objects,
    expected_objects,
    schema_objects,
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with writer(tmp_path / "archive") as connection:
        yield connection


def test_a_new_archive_is_as_it_should_be(connection: sqlite3.Connection) -> None:
    assert schema_objects(connection) == expected_objects(connection)
    assert list(altered_objects(connection)) == []


@pytest.mark.parametrize("kind", ["index", "trigger", "view"])
def test_what_is_missing_is_named(connection: sqlite3.Connection, kind: str) -> None:
    name = next(name for name in expected_objects(connection) if name[0] == kind)
    connection.execute(f"DROP {kind} {name[1]}")
    assert (name, "is missing") in list(altered_objects(connection))


def test_what_is_otherwise_is_named(connection: sqlite3.Connection) -> None:
    connection.execute("DROP VIEW gaps")
    connection.execute("CREATE VIEW gaps AS SELECT 1 AS x")
    assert list(altered_objects(connection)) == [
        (("view", "gaps"), "is not as this program made it")
    ]


def test_what_others_add_is_no_alteration(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE mine (x UNIQUE)")
    assert list(altered_objects(connection)) == []
    assert schema_objects(connection)["table", "mine"] == SchemaObject(
        "mine", "CREATE TABLE mine (x UNIQUE)"
    )
    assert not any(name.startswith("sqlite_") for _, name in schema_objects(connection))


def test_an_older_archive_is_compared_with_the_steps_that_it_has() -> None:
    with closing(sqlite3.connect(":memory:")) as older:
        model(frozenset({"m001_archive"})).backup(older)
        assert list(altered_objects(older)) == []
        assert ("table", "sightings") in expected_objects(older)
