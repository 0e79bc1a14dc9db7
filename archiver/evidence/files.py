"""Checks media files against their hashes, on all cores, and lists files without a row."""

import errno
import json
import os
import sqlite3
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from archiver.archive.row_objects import objects
from archiver.errors import StorageError
from archiver.evidence.findings import Finding, What
from archiver.evidence.slices import WHOLE, Slice
from archiver.media.store import MediaStore, hash_stream

_FILES_AT_ONCE = 32
_BYTES_AT_ONCE = 32 << 20
_ROWS_AT_ONCE = 1_000
_ENVIRONMENT_ERRORS = frozenset({
    errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE,
})  # fmt: skip
"""Errors that do not mean that a file is damaged: permissions, limits of the process, stale NFS."""
NO_ROW = "no row of the archive refers to it"


class MediaRow(NamedTuple):
    """The columns of `media` for checking a file."""

    sha256: str
    path: str
    size: int
    lost_at: str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What to read: everything; or the `part`-th of `parts`; of files, what `seconds` allow.

    With `seconds`, the files that were not read for the longest time come first. They are those of
    the slice; with `all_files`, those of the whole archive.
    """

    part: int = 1
    parts: int = 1
    seconds: float | None = None
    all_files: bool = False

    @property
    def slice(self) -> Slice:
        """Which rows to read."""
        return Slice(self.part, self.parts)

    @property
    def files(self) -> Slice:
        """Which files to read."""
        return WHOLE if self.all_files else self.slice


def files_in(connection: sqlite3.Connection, scope: Scope, now: str = "9999") -> list[bytes]:
    """The hashes of the files in a scope, in the order in which to read them.

    That is the order of their names, in which they were often written too. The hashes (32 bytes
    each) are all in memory: no statement stays open while files are read for hours.
    A `verified_at` later than `now` was written by a wrong clock, and counts as never.
    """
    read_at = "CASE WHEN verified_at > :now THEN NULL ELSE verified_at END"
    order = "sha256" if scope.seconds is None else f"{read_at}, sha256"
    first, last = scope.files.hashes()
    names = connection.execute(
        f"SELECT sha256 FROM media WHERE sha256 BETWEEN :first AND :last ORDER BY {order}",
        {"now": now, "first": first, "last": last},
    )
    return [name for (text,) in names if (name := _name(text)) is not None]


def _name(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:  # a damaged row, which is reported as such
        return None


def rows_of(connection: sqlite3.Connection, names: Iterable[bytes]) -> Iterator[MediaRow]:
    """The rows of these files, looked up some at a time."""
    names = iter(names)
    while some := [name.hex() for name in islice(names, _ROWS_AT_ONCE)]:
        marks = ", ".join("?" * len(some))
        query = f"SELECT sha256, path, size, lost_at FROM media WHERE sha256 IN ({marks})"
        found = {row.sha256: row for row in objects(connection.execute(query, some), MediaRow)}
        yield from (found[name] for name in some if name in found)


_Result = tuple[MediaRow, Finding | None]
"""A file, and what is wrong with it, if anything."""


class FileReading:
    """Hashes files on all cores, some of them ahead of the results that were asked for.

    A context: what was begun ends with it.
    """

    def __init__(self, store: MediaStore) -> None:
        self._store = store
        self._workers = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._workers)
        self._chunks: Iterator[list[MediaRow]] = iter(())
        self._pending: deque[Future[list[_Result]]] = deque()
        self._ends_at: float | None = None

    def __enter__(self) -> "FileReading":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, rows: Iterable[MediaRow], *, seconds: float | None = None) -> None:
        """Begin with the first of these files; after so many seconds, begin with no more.

        What was begun before is dropped.
        """
        self._pending.clear()
        self._chunks = _chunks(rows)
        self._ends_at = None if seconds is None else time.monotonic() + seconds
        self._read_ahead()

    def results(self) -> Iterator[_Result]:
        """Every file, until the end or the time limit."""
        while self._pending:
            yield from self._pending.popleft().result()
            self._read_ahead()

    def _read_ahead(self) -> None:
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            return
        while len(self._pending) < 2 * self._workers and (chunk := next(self._chunks, None)):
            self._pending.append(self._pool.submit(_check_chunk, self._store, chunk))


def _chunks(rows: Iterable[MediaRow]) -> Iterator[list[MediaRow]]:
    """Files in groups: one task of the thread pool for each small file would cost too much."""
    chunk: list[MediaRow] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += row.size
        if len(chunk) >= _FILES_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _check_chunk(store: MediaStore, chunk: list[MediaRow]) -> list[_Result]:
    return [(row, check_file(store, row)) for row in chunk]


def check_file(store: MediaStore, row: MediaRow) -> Finding | None:
    """What is wrong with a file, if anything. Damage has to be found in a second reading too."""
    first = _read(store, row, from_disk=False)
    if first is None:
        return None
    if row.lost_at is not None and first.what == "missing_file":
        return Finding("known_lost", row.path, f"known as lost since {row.lost_at}")
    second = _read(store, row, from_disk=True)
    if second is not None and second.what == "unreadable":
        return second
    if second is None:
        return Finding("unsteady", row.path, f"intact when read again; at first: {first.detail}")
    if second != first:
        return Finding(second.what, row.path, f"{second.detail}; at first: {first.detail}")
    return Finding(second.what, row.path, f"{second.detail}; read twice")


def _read(store: MediaStore, row: MediaRow, *, from_disk: bool) -> Finding | None:
    try:
        with store.open(row.path) as file:
            found, size = hash_stream(file, from_disk=from_disk)
    except FileNotFoundError:
        return Finding("missing_file", row.path, "the file is not there")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        what: What = "unreadable" if error.errno in _ENVIRONMENT_ERRORS else "changed_file"
        return Finding(what, row.path, f"cannot be read: {reason}")
    except StorageError as error:  # not the path of a stored file
        return Finding("reference", f"media {row.sha256}", error.what)
    if found == row.sha256:
        if size == row.size:
            return None
        return Finding("reference", f"media {row.sha256}", f"has {size:,} bytes, not {row.size:,}")
    return Finding("changed_file", row.path, f"its {size:,} bytes have the hash {found}")


def leftovers(
    connection: sqlite3.Connection, store: MediaStore, directory: Path, part: Slice = WHOLE
) -> Iterator[Finding]:
    """Files of a slice of the store that no row refers to, and what lies beside it."""
    query = "SELECT path FROM media WHERE sha256 IN (SELECT value FROM json_each(?))"
    files = store.list(*part.paths())
    while some := list(islice(files, _ROWS_AT_ONCE)):
        names = json.dumps([file.sha256 for file in some])
        known = {path for (path,) in connection.execute(query, (names,))}
        for file in some:
            if file.path not in known:
                yield Finding("leftover", file.path, NO_ROW)
    for name in _names_in(directory, "tmp"):
        yield Finding("leftover", name, "an unfinished download")
    # rows that a repair replaced are in the folder, wherever the files are
    for name in sorted({*_names_in(directory, "quarantine"), *store.quarantined()}):
        yield Finding("leftover", name, "was found damaged")


def _names_in(directory: Path, folder: str) -> list[str]:
    path = directory / folder
    is_there = path.is_dir() and not path.is_symlink()
    return [f"{folder}/{entry.name}" for entry in sorted(path.iterdir())] if is_there else []
