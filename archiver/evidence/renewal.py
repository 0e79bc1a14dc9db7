"""Brings a copy up to date, of a whole archive or of a part of it (see `CopyContent`).

A new database is made beside the copy's. Then the files that it names are copied, hashed on the
way, and read back. Last, the new database replaces the old one: an interrupted copy is still the
earlier copy, with some more files.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

from archiver.archive.database import DATABASE, SQLITE_SUFFIXES
from archiver.disks import replace_file, sync_directory
from archiver.errors import StorageError
from archiver.evidence.files import MediaRow, Scope, check_file, files_in, rows_of
from archiver.evidence.findings import Finding
from archiver.evidence.verify import NEW_DATABASE
from archiver.media.disk import CHUNK_SIZE, sync_file
from archiver.media.download import Download
from archiver.media.folder_store import FolderStore
from archiver.media.store import MediaStore, hash_in_path
from archiver.media.temp_file import TempFile

_FILES_AT_ONCE = 64


@dataclass(slots=True)
class Copied:
    """The result of copying: files copied, their bytes, files unchanged, rows in all.

    `damage` is what is damaged in the source, `unreadable` the files of it that the system did not
    let us read. `done`: the copy is up to date, without those files. Where rows are damaged it is
    not done, and an earlier copy is unchanged.
    """

    files: int = 0
    size: int = 0
    unchanged: int = 0
    rows: int = 0
    done: bool = False
    damage: list[Finding] = field(default_factory=list)
    unreadable: list[Finding] = field(default_factory=list)


class CopyContent(Protocol):
    """What goes into a copy."""

    reads_back: bool
    """Whether files that the copy has already are hashed; otherwise name and size must match."""

    def make(self, new: Path) -> None:
        """Make the new database at the path, in one file without a write-ahead log."""

    def check(self, connection: sqlite3.Connection, new: Path, copied: Copied) -> bool:
        """Whether the new database may replace the old one."""


def renew_copy(
    content: CopyContent, source: MediaStore, target: Path, copied: Copied, *,
    on_total: Callable[[int], object] = int, on_file: Callable[[int], object] = int,
) -> None:  # fmt: skip
    """Bring the copy in the folder `target`, which is locked, up to date.

    The result is written to `copied`. `on_total` is called with the bytes to copy in all, `on_file`
    with the size of every file. Raises StorageError, OSError, sqlite3.Error.
    """
    new = target / NEW_DATABASE
    store = FolderStore(target)
    try:
        _remove_new_database(new)
        content.make(new)
        sync_file(new)
        with closing(open_immutable(new)) as connection:
            if not content.check(connection, new, copied):
                return
            missing = _missing(connection, store, copied, reads_back=content.reads_back)
            on_total(sum(row.size for row in missing))
            _copy_files(source, store, missing, copied, on_file)
        _put_in_place(new, target)
        copied.done = True
    finally:
        _remove_new_database(new, keep_name=not (target / DATABASE).exists())


def open_immutable(path: Path) -> sqlite3.Connection:
    """A read-only connection to a database that no other process uses."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _remove_new_database(new: Path, *, keep_name: bool = False) -> None:
    """Remove a new database; with `keep_name`, leave it empty, to mark an unfinished first copy."""
    for path in _sqlite_files(new):
        path.unlink(missing_ok=True)
    if keep_name and new.exists():
        os.truncate(new, 0)
    else:
        new.unlink(missing_ok=True)


def _missing(
    connection: sqlite3.Connection, target: MediaStore, copied: Copied, *, reads_back: bool
) -> list[MediaRow]:
    """The files that the copy lacks, without those marked as lost."""
    missing = []
    for row in rows_of(connection, files_in(connection, Scope())):
        if row.lost_at is not None:
            continue
        if hash_in_path(row.path) != row.sha256:
            wrong = f"its path {row.path!r} is not that of its hash"
            copied.damage.append(Finding("reference", f"media {row.sha256}", wrong))
        elif _is_copied(target, row, reads_back=reads_back):
            copied.unchanged += 1
        else:
            missing.append(row)
    return missing


def _is_copied(target: MediaStore, row: MediaRow, *, reads_back: bool) -> bool:
    found = target.stat(row.path)
    is_there = found is not None and found.size == row.size
    return is_there and (not reads_back or check_file(target, row) is None)


def _copy_files(
    source: MediaStore, target: FolderStore, rows: list[MediaRow], copied: Copied,
    on_file: Callable[[int], object],
) -> None:  # fmt: skip
    target.prepare()
    waiting = iter(rows)
    while some := list(islice(waiting, _FILES_AT_ONCE)):
        downloads = [found for row in some if (found := _fetch(source, target, row, copied))]
        target.put(downloads)
        for row in some:
            on_file(row.size)
        names = {download.sha256 for download in downloads}
        for row in some:
            if row.sha256 in names and (wrong := check_file(target, row)) is not None:
                raise StorageError(
                    f"{target.directory / row.path} was written and reads back differently",
                    why=wrong.detail,
                    kept="The earlier copy is unchanged",
                    hint="Check the disk",
                )


def copy_to_temp(source: MediaStore, tmp: Path, row: MediaRow) -> Download | None:
    """Copy one file into the folder `tmp`, hashed on the way; None where it is damaged.

    Raises StorageError.
    """
    for _ in range(2):  # a read error may be transient
        with TempFile(tmp) as part:
            if _copy_bytes(source, row.path, part) and part.finish() == row.sha256:
                part.keep()
                extension = row.path.rpartition(".")[2]
                return Download(part.path, row.sha256, part.size, "", extension)
    return None


def _fetch(
    source: MediaStore, target: FolderStore, row: MediaRow, copied: Copied
) -> Download | None:
    if (download := copy_to_temp(source, target.tmp, row)) is not None:
        copied.files += 1
        copied.size += download.size
        return download
    wrong = check_file(source, row)
    wrong = wrong or Finding("changed_file", row.path, "it read back wrong twice in four reads")
    (copied.unreadable if wrong.what == "unreadable" else copied.damage).append(wrong)
    return None


def _copy_bytes(source: MediaStore, path: str, part: TempFile) -> bool:
    """Copy a file; False where it cannot be read to its end."""
    try:
        with source.open(path) as file:
            while data := file.read(CHUNK_SIZE):
                part.write(data)
    except OSError:
        return False
    return True


def _put_in_place(new: Path, target: Path) -> None:
    """Replace the old database, without leaving its write-ahead log beside the new one."""
    old = target / DATABASE
    if old.exists():
        with closing(sqlite3.connect(old, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    for path in _sqlite_files(old):
        path.unlink(missing_ok=True)
    # or a power cut could bring the old log back, beside the new database
    sync_directory(target)
    replace_file(new, old)
    sync_directory(target)


def _sqlite_files(path: Path) -> Iterator[Path]:
    return (path.with_name(path.name + end) for end in SQLITE_SUFFIXES)
