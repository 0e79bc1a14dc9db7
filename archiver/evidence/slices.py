"""Slices: the part of an archive that one of many runs of verify looks at.

A slice reads the rows and files that are in it, and little else. Files, and the rows that are named
by a hash, are divided by ranges of it; other rows by blocks of ids, so that rows that lie together
are read together. A check that can only be made of a whole table is made in one slice, always the
same. So all slices together check all that a verify of everything does.
"""

import sqlite3
from collections.abc import Iterator
from hashlib import sha256

from msgspec import Struct

from archiver.archive.hashed_rows import key_of

_BLOCK = 1024
"""So many ids in a row belong to one slice."""
_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1  # of SQLite's integers
_AFTER_ALL_TEXT = b""  # SQLite sorts BLOBs behind text
_DIGITS = 16  # so many hex digits of a hash decide in which slice it is

Range = tuple[str | int, str | int | bytes]
"""The first and the last value of a column, for BETWEEN."""


class Slice(Struct, frozen=True):
    """The `part`-th of `parts`, counted from 1; as it is made, the whole."""

    part: int = 1
    parts: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether it is everything."""
        return self.parts == 1

    def has(self, check: str) -> bool:
        """Whether a check that cannot be divided is made in this slice; `check` is its name."""
        number = int.from_bytes(sha256(check.encode()).digest()[:8])
        return number % self.parts == self.part - 1

    def hashes(self) -> Range:
        """The range of the SHA-256 hashes, in hex, that are in this slice."""
        start, end = self._bounds()
        return start, _AFTER_ALL_TEXT if end is None else end

    def has_hash(self, sha256: str) -> bool:
        """Whether what has this hash is in this slice."""
        first, end = self._bounds()
        return first <= sha256 and (end is None or sha256 < end)

    def paths(self) -> tuple[str, str | None]:
        """The range of the paths below `media`; None at its end is no end."""
        start, end = (text and f"{text[:2]}/{text}" for text in self._bounds())
        return start or "", end

    def _bounds(self) -> tuple[str, str | None]:
        """The first hash, and what follows the last one; no hash has so few digits."""
        starts = [-(-(part << 4 * _DIGITS) // self.parts) for part in (self.part - 1, self.part)]
        return (
            f"{starts[0]:0{_DIGITS}x}" if self.part > 1 else "",
            f"{starts[1]:0{_DIGITS}x}" if self.part < self.parts else None,
        )

    def ranges(
        self, connection: sqlite3.Connection, table: str, column: str | None = None
    ) -> Iterator[Range]:
        """The ranges of a column, else of the table's key, in which the rows of this slice are."""
        match column or key_of(table)[0]:
            case "sha256":
                yield self.hashes()
            case "name":  # of `about`, which has a few rows
                if self.has(table):
                    yield "", _AFTER_ALL_TEXT
            case column:
                yield from self.blocks(connection, table, column)

    def blocks(
        self, connection: sqlite3.Connection, table: str, column: str, size: int = _BLOCK
    ) -> Iterator[tuple[int, int]]:
        """The blocks of so many numbers in which the column has any, and that are in this slice.

        Damaged rows may have any number: it takes a question of an index for each block that there
        is, and none for those that are not.
        """
        if self.is_whole:
            yield _LOWEST, _HIGHEST
            return
        query = f"SELECT min({column}) FROM {table} WHERE {column} >= ?"
        start = _LOWEST
        while start <= _HIGHEST:
            (found,) = connection.execute(query, (start,)).fetchone()
            if found is None:
                return
            block = found // size
            to_next = (self.part - 1 - block) % self.parts
            if to_next == 0:
                yield block * size, block * size + size - 1
            start = (block + (to_next or self.parts)) * size


WHOLE = Slice()
