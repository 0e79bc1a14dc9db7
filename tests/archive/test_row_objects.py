"""Rows become objects by the names of their columns."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple

import pytest

from archiver.archive.row_objects import mappings, objects


@dataclass(frozen=True)
class Point:
    x: int
    y: int
    label: str = "unnamed"
    z: int = 0


@dataclass(frozen=True)
class One:
    x: int


class Pair(NamedTuple):
    x: int
    y: int


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


@pytest.mark.parametrize("columns", list(permutations(("1 AS x", "2 AS y", "3 AS z"))))
def test_the_order_of_the_columns_means_nothing(
    connection: sqlite3.Connection, columns: tuple[str, ...]
) -> None:
    cursor = connection.execute(f"SELECT {', '.join(columns)}")
    assert list(objects(cursor, Point)) == [Point(1, 2, z=3)]


def test_one_column_and_columns_in_the_order_of_the_class(connection: sqlite3.Connection) -> None:
    assert list(objects(connection.execute("SELECT 7 AS x"), One)) == [One(7)]
    (pair,) = objects(connection.execute("SELECT 1 AS x, 2 AS y"), Pair)
    assert isinstance(pair, Pair)
    assert pair == Pair(1, 2)
    assert list(objects(connection.execute("SELECT 2 AS y, 1 AS x"), Pair)) == [Pair(1, 2)]


@pytest.mark.parametrize(
    "columns",
    ["1 AS x", "1 AS x, 2 AS y, 3 AS w", "1 AS x, 2 AS y, 3 AS y"],
    ids=["missing", "unknown", "repeated"],
)
def test_columns_that_do_not_fit_the_class_are_refused(
    connection: sqlite3.Connection, columns: str
) -> None:
    with pytest.raises(TypeError):
        objects(connection.execute(f"SELECT {columns}"), Point)


def test_a_column_may_be_read_and_left_out(connection: sqlite3.Connection) -> None:
    cursor = connection.execute("SELECT 9 AS other, 1 AS x, 2 AS y")
    assert list(objects(cursor, Pair, without={"other"})) == [Pair(1, 2)]


def test_rows_as_mappings(connection: sqlite3.Connection) -> None:
    assert list(mappings(connection.execute("SELECT 2 AS y, 1 AS x"))) == [{"x": 1, "y": 2}]
