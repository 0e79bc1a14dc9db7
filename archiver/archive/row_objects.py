"""Rows of a statement as objects and mappings, by the names of their columns.

The order of the columns in a SELECT means nothing: a column that moved cannot take the place of
another.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from inspect import signature
from operator import itemgetter
from typing import Any, TypeVar

T = TypeVar("T")


def objects(
    cursor: sqlite3.Cursor, factory: Callable[..., T], *, without: Collection[str] = ()
) -> Iterator[T]:
    """An object for each row, made of the columns that have the names of its parameters.

    Columns in `without` are read and left out. Raises TypeError, before any row is read, where
    `factory` has no parameter for another column, where a column that it needs is missing, and
    where two columns have one name.
    """
    return map(_row_factory(factory, column_names(cursor), frozenset(without)), cursor)


def mappings(cursor: sqlite3.Cursor) -> Iterator[dict[str, Any]]:
    """A dict for each row, by the names of its columns, in their order."""
    names = column_names(cursor)
    return (dict(zip(names, row, strict=True)) for row in cursor)


def column_names(cursor: sqlite3.Cursor) -> tuple[str, ...]:
    """The names of a statement's columns, in their order."""
    return tuple([description[0] for description in cursor.description])


@lru_cache(256)
def _row_factory(
    factory: Callable[..., T], columns: tuple[str, ...], without: frozenset[str]
) -> Callable[[Sequence[Any]], T]:
    """A function that makes an object of a row; columns are assigned once for each statement."""
    given = [name for name in columns if name not in without]
    _refuse_repeated(given)
    parameters = signature(factory).parameters
    signature(factory).bind(**dict.fromkeys(given))  # raises TypeError
    order = [name for name in parameters if name in given]
    if order != list(parameters)[: len(order)]:  # a parameter with a default is skipped
        places = {name: columns.index(name) for name in order}
        return lambda row: factory(**{name: row[place] for name, place in places.items()})
    if order == list(columns):
        make: Callable[[Sequence[Any]], T] | None = getattr(factory, "_make", None)
        if make is not None and order == list(parameters):  # a NamedTuple, of which a row is one
            return make
        return lambda row: factory(*row)
    pick = itemgetter(*map(columns.index, order)) if len(order) > 1 else None
    if pick is None:
        place = columns.index(order[0])
        return lambda row: factory(row[place])
    return lambda row: factory(*pick(row))


def _refuse_repeated(names: Sequence[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise TypeError(f"two columns have the name {repeated[0]!r}")
