"""All or nothing, also where it is COMMIT that fails."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext

import pytest

from archiver.archive.transactions import rolled_back, transaction


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        connection.execute(
            "CREATE TABLE children (parent REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED)"
        )
        yield connection


def count(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("SELECT count(*) FROM children").fetchone()[0]
    return found


def add_and_fail(connection: sqlite3.Connection, *, inside: bool = False) -> None:
    with transaction(connection) if inside else nullcontext():
        connection.execute("INSERT INTO children VALUES (NULL)")
    raise KeyError


def test_what_raises_leaves_nothing_behind(connection: sqlite3.Connection) -> None:
    with pytest.raises(KeyError), transaction(connection):
        add_and_fail(connection)
    assert (connection.in_transaction, count(connection)) == (False, 0)


def test_a_commit_that_fails_is_rolled_back_and_the_next_transaction_is_its_own(
    connection: sqlite3.Connection,
) -> None:
    with pytest.raises(sqlite3.IntegrityError), transaction(connection):
        connection.execute("INSERT INTO children VALUES (4711)")  # nobody's child: COMMIT says no
    assert not connection.in_transaction

    with transaction(connection):
        connection.execute("INSERT INTO children VALUES (NULL)")
    assert (connection.in_transaction, count(connection)) == (False, 1)


def test_one_inside_another_is_a_part_of_it(connection: sqlite3.Connection) -> None:
    with pytest.raises(KeyError), transaction(connection):
        add_and_fail(connection, inside=True)
    assert count(connection) == 0


def test_a_dry_run_leaves_nothing_behind_whatever_is_committed_in_it(
    connection: sqlite3.Connection,
) -> None:
    with rolled_back(connection), transaction(connection):
        connection.execute("INSERT INTO children VALUES (NULL)")
    assert (connection.in_transaction, count(connection)) == (False, 0)
