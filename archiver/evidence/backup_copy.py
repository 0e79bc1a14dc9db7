"""What a second copy can give back: of it nothing is believed that the archive does not prove.

A file must have the bytes of its name, a row the very hash that the damaged row still carries, and
a table must add up, with the copy's rows, to exactly what was counted when they were written. So
a copy that is older, newer or damaged itself gives what is right in it, and nothing else.
"""

import json
import os
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby, product
from operator import itemgetter
from pathlib import Path
from typing import Any

from archiver.archive.database import transaction
from archiver.archive.rows import TALLY_MASK, checksum_of, key_of, replace_rows, restore_tally
from archiver.errors import UsageError
from archiver.evidence.copy import archive_id, bring
from archiver.evidence.files import MediaRow
from archiver.evidence.rows import is_sound, read_row, tolerate
from archiver.evidence.verify import opened
from archiver.media.disk import create_file, make_directory, storage_error, sync_directory
from archiver.media.store import Store

Row = dict[str, Any]
Key = tuple[object, ...]


class BackupCopy:
    """A copy of an archive, which is only read."""

    def __init__(self, connection: sqlite3.Connection, directory: Path) -> None:
        self.connection = connection
        self._store = Store(directory)

    def row(self, table: str, key: Key, row_sha256: object) -> Row | None:
        """The copy's row of this key, if it is sound and has this very hash."""
        try:
            row = read_row(self.connection, table, key)
        except sqlite3.DatabaseError:  # the copy is damaged just there
            return None
        fits = row is not None and row["row_sha256"] == row_sha256 and is_sound(table, row)
        return row if fits else None

    def give_file(self, store: Store, row: MediaRow) -> bool:
        """Put the copy's file into its place, if it has the bytes of its name.

        What was in its place goes to `quarantine/`. Raises StorageError.
        """
        download = bring(self._store, store, row)
        if download is not None:
            store.keep([download])
        return download is not None


@contextmanager
def open_backup_copy(directory: Path, archive: Path) -> Iterator[BackupCopy]:
    """Open a copy. Raises UsageError, StorageError, DamageFound as `opened`."""
    if directory.resolve() == archive.resolve():
        raise UsageError(f"{directory} is the archive itself", hint="Give the folder of a copy")
    with opened(directory) as connection:
        tolerate(connection)
        yield BackupCopy(connection, directory)


def refuse_another(connection: sqlite3.Connection, second: BackupCopy, directory: Path) -> None:
    """Refuse a copy of something else, as far as the archive still knows who it is."""
    about = read_row(connection, "about", ("archive_id",))
    if about and is_sound("about", about) and about["value"] != archive_id(second.connection):
        raise UsageError(
            f"{directory} is no copy of this archive",
            kept="Nothing was changed",
            hint="Give the folder that archiver copy made of it",
        )


@dataclass(slots=True)
class _Difference:
    """How the rows of a table differ from the copy's: keys and hashes, those of here and there."""

    count: int = 0
    total: int = 0
    lost: dict[Key, str] = field(default_factory=dict)
    altered: dict[Key, tuple[str, str]] = field(default_factory=dict)
    added: dict[Key, str] = field(default_factory=dict)


def repair_table(
    connection: sqlite3.Connection, second: BackupCopy, table: str, store: Store
) -> bool:
    """Make a table add up again with the copy's rows, if exactly that is what is missing.

    Rows that others added or altered, hash and all, are written to `quarantine/` first.
    Raises StorageError.
    """
    try:
        difference = _compare(connection, second.connection, table)
        tally = _tally(second.connection, table)
    except sqlite3.DatabaseError:  # either of them cannot be read
        return False
    expected = _tally(connection, table)
    if expected is None:
        if tally != (difference.count, difference.total):
            return False
        restore_tally(connection, table, *tally)
        return True
    for revert, remove in product((False, True), repeat=2):
        if _sum(difference, revert=revert, remove=remove) == expected:
            return _apply(
                connection, second, table, store, difference, revert=revert, remove=remove
            )
    return False


def _tally(connection: sqlite3.Connection, table: str) -> tuple[int, int] | None:
    query = "SELECT rows, sum FROM tallies WHERE name = ?"
    found: tuple[int, int] | None = connection.execute(query, (table,)).fetchone()
    return found


def _compare(here: sqlite3.Connection, there: sqlite3.Connection, table: str) -> _Difference:
    """Walk both tables by their keys, side by side."""
    found = _Difference()
    both = merge(_walk(here, table, "here"), _walk(there, table, "there"), key=itemgetter(0))
    for _, group in groupby(both, key=itemgetter(0)):
        rows = list(group)
        key = rows[0][2]
        hashes = {side: digest for _, side, _, digest in rows}
        mine, other = hashes.get("here"), hashes.get("there")
        if mine is not None:
            found.count += 1
            found.total += checksum_of((mine,))
        if mine is None:
            found.lost[key] = str(other)
        elif other is None:
            found.added[key] = mine
        elif mine != other:
            found.altered[key] = (mine, other)
    found.total &= TALLY_MASK
    return found


def _walk(
    connection: sqlite3.Connection, table: str, side: str
) -> Iterator[tuple[list[Any], str, Key, str]]:
    """Every row, in the order of SQLite: what to sort by, whose it is, its key, its hash."""
    names = ", ".join(key_of(table))
    query = f"SELECT {names}, row_sha256 FROM {table} ORDER BY {names}"
    for *key, digest in connection.execute(query):
        order = [k.encode("utf-8", "surrogateescape") if isinstance(k, str) else k for k in key]
        yield order, side, tuple(key), digest


def _sum(difference: _Difference, *, revert: bool, remove: bool) -> tuple[int, int]:
    """What the table would add up to with the lost rows, and those steps."""
    count = difference.count + len(difference.lost)
    total = difference.total + checksum_of(difference.lost.values())
    if revert:
        total += checksum_of(there for _, there in difference.altered.values())
        total -= checksum_of(here for here, _ in difference.altered.values())
    if remove:
        count -= len(difference.added)
        total -= checksum_of(difference.added.values())
    return count, total & TALLY_MASK


def _apply(
    connection: sqlite3.Connection, second: BackupCopy, table: str, store: Store,
    difference: _Difference, *, revert: bool, remove: bool,
) -> bool:  # fmt: skip
    wanted = dict(difference.lost)
    gone: list[Key] = []
    if revert:
        wanted |= {key: there for key, (_, there) in difference.altered.items()}
        gone += difference.altered
    if remove:
        gone += difference.added
    rows = [second.row(table, key, digest) for key, digest in wanted.items()]
    whole = [row for row in rows if row is not None]
    if len(whole) < len(rows):
        return False
    if gone:
        _set_aside(store, table, [read_row(connection, table, key) for key in gone])
    try:
        with transaction(connection):
            replace_rows(connection, table, gone, whole)
    except sqlite3.IntegrityError:  # other rows hang on those, or have taken their place
        return False
    return True


def _set_aside(store: Store, table: str, rows: list[Row | None]) -> None:
    """Write rows that are about to be replaced to a file of their own, durably."""
    folder = store.directory / "quarantine"
    try:
        make_directory(folder)
        number = 0
        while os.path.lexists(path := folder / f"{table}.{number}.jsonl"):
            number += 1
        with os.fdopen(create_file(path), "w", encoding="ascii") as file:
            for row in rows:
                file.write(json.dumps(row, default=_base64) + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync_directory(folder)
    except OSError as error:
        raise storage_error(error, f"keep rows of {table} in {folder}") from error


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
