"""Restores rows and tables from a copy, where the archive's own checksums confirm them.

A row is restored where the copy has one with the hash that the damaged row still has. A table is
restored where, with the copy's rows, it matches its stored checksum. So an older or partly damaged
copy can be used: only rows that the archive's hashes confirm are restored.
"""

import json
import os
import sqlite3
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from archiver.archive.database import transaction
from archiver.archive.hashed_rows import CHECKSUM_MASK, checksum_of, key_of
from archiver.archive.intact import hash_of, is_intact
from archiver.archive.rows import insert, replace_rows, restore_checksum, write_original
from archiver.disks import sync, sync_directory
from archiver.evidence.backup_copy import BackupCopy, Key, Row
from archiver.evidence.findings import BadRow
from archiver.evidence.rows import read_row
from archiver.media.disk import create_file, make_directory, storage_error

_POST_QUERIES = {
    "posts": "SELECT id FROM posts WHERE rowid = ?",
    "renditions": """
        SELECT post_id FROM renditions JOIN attachments ON attachments.id = attachment_id
         WHERE renditions.id = ?""",
} | {
    table: f"SELECT post_id FROM {table} WHERE rowid = ?"
    for table in ("relations", "revisions", "attachments", "events")
}
"""The post that a row belongs to, which gets an event of the repair."""


def restore_row(connection: sqlite3.Connection, bad: BadRow, now: str, copy: BackupCopy) -> bool:
    """Restore one damaged row from the copy, where a hash confirms the copy's row."""
    row = read_row(connection, bad.table, bad.key)
    if row is None or is_intact(bad.table, row):
        return False
    intact = _matching_row(copy, bad, row)
    if intact is None:
        return False
    try:
        with transaction(connection):
            write_original(connection, bad.table, bad.key, intact)
            _add_repair_event(connection, BadRow(bad.table, _key(intact, bad)), now)
    except sqlite3.IntegrityError:  # its key was damaged, and another row has the right key now
        return False
    return True


def _key(intact: Row, bad: BadRow) -> Key:
    if "id" in intact:
        return (intact["id"],)
    return tuple(intact.get(*pair) for pair in zip(key_of(bad.table), bad.key, strict=True))


def _matching_row(copy: BackupCopy, bad: BadRow, row: Row) -> Row | None:
    """The copy's row with the hash that the damaged row still has.

    Where only the hash was damaged, the columns still have the hash of the copy's row; where the
    key was, the copy has that hash under another key.
    """
    return (
        copy.row(bad.table, bad.key, row["row_sha256"])
        or copy.row(bad.table, bad.key, hash_of(bad.table, row))
        or copy.row_of_hash(bad.table, row["row_sha256"])
    )


def _add_repair_event(connection: sqlite3.Connection, bad: BadRow, now: str) -> None:
    query = _POST_QUERIES.get(bad.table)
    if bad.table in {"metrics", "post_aliases", "post_sources"}:
        post_id: Any = bad.key[0]
    elif query is None:
        return
    else:
        (post_id,) = connection.execute(query, bad.key).fetchone() or (None,)
    if post_id is None:
        return
    run_id = connection.execute("SELECT max(id) FROM runs").fetchone()[0]
    reason = f"{bad} was damaged, and was restored from a copy"
    insert(
        connection, "events", post_id=post_id, run_id=run_id, at=now, what="repaired", reason=reason
    )


Checksum = tuple[int, int]
"""How many rows a table has, and the sum of their hashes (see `checksum_of`)."""


@dataclass(slots=True)
class TableDifference:
    """How a table of the archive (`here`) differs from the copy's (`there`).

    `lost`: the hashes of rows that only the copy has, by key. `altered`: both hashes (here, there)
    of rows that differ. `added`: the keys of rows that only the archive has. `here` and `there` are
    the checksums of all rows.
    """

    here: Checksum = (0, 0)
    there: Checksum = (0, 0)
    lost: dict[Key, str] = field(default_factory=dict)
    altered: dict[Key, tuple[str, str]] = field(default_factory=dict)
    added: list[Key] = field(default_factory=list)

    def restored(self, keys: Iterable[Key]) -> Checksum:
        """The checksum here once the lost rows, and the altered ones of `keys`, are restored."""
        count, total = _add(self.here, self.lost.values())
        for mine, other in map(self.altered.__getitem__, keys):
            total += checksum_of([other]) - checksum_of([mine])
        return count, total & CHECKSUM_MASK


def restore_table(
    connection: sqlite3.Connection, copy: BackupCopy, table: str, directory: Path,
    damaged: Iterable[Key] = (),
) -> bool:  # fmt: skip
    """Restore a table's rows from the copy, if the table then has its stored checksum.

    Either the rows that are missing or `damaged` are restored, or the whole table is replaced by
    the copy's. Rows that are replaced or removed are written to `quarantine/` first.
    Raises StorageError.
    """
    try:
        difference = _compare(connection, copy.connection, table)
        stored_in_copy = _stored_checksum(copy.connection, table)
    except sqlite3.DatabaseError:  # either of them cannot be read
        return False
    expected = _stored_checksum(connection, table)
    if expected is None:
        if stored_in_copy != difference.here:
            return False
        restore_checksum(connection, table, *difference.here)
        return True
    of_copy = {key: other for key, (_, other) in difference.altered.items()}
    restorable = [key for key in damaged if key in of_copy]
    if difference.restored(restorable) == expected:
        of_copy = {key: of_copy[key] for key in restorable}
        replaced = restorable
    elif difference.there == expected:
        replaced = [*of_copy, *difference.added]
    else:
        return False
    return _replace(connection, copy, table, directory, difference.lost | of_copy, replaced)


def _stored_checksum(connection: sqlite3.Connection, table: str) -> Checksum | None:
    query = "SELECT rows, sum FROM table_checksums WHERE name = ?"
    found: Checksum | None = connection.execute(query, (table,)).fetchone()
    return found


def _compare(here: sqlite3.Connection, there: sqlite3.Connection, table: str) -> TableDifference:
    """Read both tables in the order of their keys, side by side."""
    found = TableDifference()
    both = merge(_hashes(here, table, "here"), _hashes(there, table, "there"), key=itemgetter(0))
    for _, group in groupby(both, key=itemgetter(0)):
        rows = list(group)
        key = rows[0][2]
        hashes = {side: digest for _, side, _, digest in rows}
        mine, other = hashes.get("here"), hashes.get("there")
        if mine is not None:
            found.here = _add(found.here, [mine])
        if other is not None:
            found.there = _add(found.there, [other])
        if mine is None:
            found.lost[key] = str(other)
        elif other is None:
            found.added.append(key)
        elif mine != other:
            found.altered[key] = (mine, other)
    return found


def _add(checksum: Checksum, hashes: Iterable[str]) -> Checksum:
    digests = list(hashes)
    return checksum[0] + len(digests), (checksum[1] + checksum_of(digests)) & CHECKSUM_MASK


def _hashes(
    connection: sqlite3.Connection, table: str, side: str
) -> Iterator[tuple[list[Any], str, Key, str]]:
    """Every row, in SQLite's order of keys: the sort key, the side, the row's key, its hash."""
    names = ", ".join(key_of(table))
    query = f"SELECT {names}, row_sha256 FROM {table} ORDER BY {names}"
    for *key, digest in connection.execute(query):
        order = [k.encode("utf-8", "surrogateescape") if isinstance(k, str) else k for k in key]
        yield order, side, tuple(key), str(digest)


def _replace(
    connection: sqlite3.Connection, copy: BackupCopy, table: str, directory: Path,
    wanted: dict[Key, str], replaced: list[Key],
) -> bool:  # fmt: skip
    rows = [copy.row(table, key, digest) for key, digest in wanted.items()]
    intact = [row for row in rows if row is not None]
    if len(intact) < len(rows):
        return False
    if replaced:
        _save_replaced(directory, table, [read_row(connection, table, key) for key in replaced])
    try:
        with transaction(connection):
            replace_rows(connection, table, replaced, intact)
    except sqlite3.IntegrityError:  # other rows refer to those, or have taken their place
        return False
    return True


def _save_replaced(directory: Path, table: str, rows: list[Row | None]) -> None:
    """Write rows that are about to be replaced to a new file in `quarantine/`, durably."""
    folder = directory / "quarantine"
    try:
        make_directory(folder)
        number = 0
        while os.path.lexists(path := folder / f"{table}.{number}.jsonl"):
            number += 1
        with os.fdopen(create_file(path), "w", encoding="ascii") as file:
            for row in rows:
                file.write(json.dumps(row, default=_base64) + "\n")
            file.flush()
            sync(file.fileno())
        sync_directory(folder)
    except OSError as error:
        raise storage_error(error, f"write the replaced rows of {table} to {folder}") from error


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
