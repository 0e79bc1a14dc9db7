"""CSV files of exports, row by row, whatever their size."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from itertools import islice
from typing import TextIO

from archiver import Package, PackageError

_LONGEST_LINE = 1 << 20  # characters
_HEAD = 200  # rows that show what a table is

Row = list[str]


def rows_of(package: Package, name: str) -> Iterator[Row]:
    """The rows of a table, the names of its columns first; blank rows are left out.

    Raises PackageError for what is no CSV.
    """
    with _damage(name), TextIOWrapper(
        package.open(name), encoding="utf-8-sig", errors="replace", newline=""
    ) as file:  # fmt: skip
        yield from (row for row in csv.reader(_lines(file)) if any(map(str.strip, row)))


def head_of(package: Package, name: str) -> list[Row]:
    """The first rows of a table, those before the first that cannot be read."""
    head: list[Row] = []
    with suppress(PackageError):
        head.extend(islice(rows_of(package, name), _HEAD))
    return head


def column_names(row: Sequence[str]) -> list[str]:
    """The names of columns for comparing: without blanks around them, in lower case."""
    return [name.strip().casefold() for name in row]


def as_object(header: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    """A row by the names of its columns; a repeated name, or none, gets the column's number."""
    found: dict[str, str] = {}
    for index, value in enumerate(row):
        name = header[index].strip() if index < len(header) else ""
        found[name if name and name not in found else f"{name} #{index + 1}".strip()] = value
    return found


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE and not line.endswith("\n"):
            raise csv.Error("a line of more than a million characters")
        yield line


@contextmanager
def _damage(name: str) -> Iterator[None]:
    try:
        yield
    except csv.Error as error:
        raise PackageError(
            f"{name} cannot be read",
            why=f"It is no table of values separated by commas: {error}",
            kept="Nothing of this package was imported",
            hint="Download the export again; if that does not help, its layout is one that this "
            "version does not know",
            code="not_csv",
        ) from error
