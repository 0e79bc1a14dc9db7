"""Bringing a copy of an archive up to date: one engine, whatever of the archive goes into it.

A new database is made beside the copy's. Then the files that it names are copied, hashed on the
way, and read back; last of all the new database takes the place of the old one. So a copy that is
broken off is still the copy that it was, with some files more.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

from archiver.archive.database import DATABASE, LOGS
from archiver.disks import replace_file, sync_directory
from archiver.errors import StorageError
from archiver.evidence.files import MediaRow, Scope, check_file, files_in, rows_of
from archiver.evidence.findings import Finding
from archiver.evidence.verify import NEW
from archiver.media.disk import PIECE, sync_file
from archiver.media.download import Download
from archiver.media.folder_store import FolderStore
from archiver.media.store import MediaStore, hash_in_path
from archiver.media.temp_file import TempFile

_FILES_AT_ONCE = 64


@dataclass(slots=True)
class Copied:
    """What a copy brought: files copied, their bytes, files that were there, rows in all.

    `damage` is what is damaged in the source, `unreadable` are files of it that the system did not
    let us read. `done` says that the copy stands for the archive as it was when this began, but for
    those; where rows are damaged it is not, and an earlier copy stays as it was.
    """

    files: int = 0
    size: int = 0
    there: int = 0
    rows: int = 0
    done: bool = False
    damage: list[Finding] = field(default_factory=list)
    unreadable: list[Finding] = field(default_factory=list)


class CopyContent(Protocol):
    """What goes into a copy."""

    reads_back: bool
    """Whether files that the copy has already are hashed; else name and size are believed."""

    def make(self, new: Path) -> None:
        """Make the database of the copy, in one file that needs no log. Nothing is there yet."""

    def check(self, connection: sqlite3.Connection, new: Path, copied: Copied) -> bool:
        """Whether the new database may take the place of the old one."""


def renew_copy(
    content: CopyContent, source: MediaStore, target: Path, copied: Copied, *,
    on_total: Callable[[int], object] = int, on_file: Callable[[int], object] = int,
) -> None:  # fmt: skip
    """Bring the copy in the folder `target`, which is locked, up to date.

    `copied` tells how it went, `on_total` is told how many bytes there are to copy, `on_file` of
    every file's size. Raises StorageError, OSError, sqlite3.Error.
    """
    new = target / NEW
    store = FolderStore(target)
    try:
        _clear(new)
        content.make(new)
        sync_file(new)
        with closing(open_frozen(new)) as connection:
            if not content.check(connection, new, copied):
                return
            missing = _missing(connection, store, copied, reads_back=content.reads_back)
            on_total(sum(row.size for row in missing))
            _copy_files(source, store, missing, copied, on_file)
        _put_in_place(new, target)
        copied.done = True
    finally:
        _clear(new, keep_name=not (target / DATABASE).exists())


def open_frozen(path: Path) -> sqlite3.Connection:
    """A reading connection to a database that nobody else knows of."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _clear(new: Path, *, keep_name: bool = False) -> None:
    """Remove a new database; of a first copy the name may stay, to tell that it was broken off."""
    for path in _logs(new):
        path.unlink(missing_ok=True)
    if keep_name and new.exists():
        os.truncate(new, 0)
    else:
        new.unlink(missing_ok=True)


def _missing(
    connection: sqlite3.Connection, target: MediaStore, copied: Copied, *, reads_back: bool
) -> list[MediaRow]:
    """The files that the copy has not: those known as lost cannot be copied."""
    missing = []
    for row in rows_of(connection, files_in(connection, Scope())):
        if row.lost_at is not None:
            continue
        if hash_in_path(row.path) != row.sha256:
            wrong = f"{row.path!r} is not where its file is"
            copied.damage.append(Finding("reference", f"media {row.sha256}", wrong))
        elif _is_there(target, row, reads_back=reads_back):
            copied.there += 1
        else:
            missing.append(row)
    return missing


def _is_there(target: MediaStore, row: MediaRow, *, reads_back: bool) -> bool:
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
                    f"{target.directory / row.path} cannot be read back as it was written",
                    why=wrong.detail,
                    kept="The earlier copy is as it was",
                    hint="Check that disk before you trust it",
                )


def bring(source: MediaStore, tmp: Path, row: MediaRow) -> Download | None:
    """One file, copied into the folder `tmp` and hashed on the way; None where it is damaged.

    Raises StorageError.
    """
    for _ in range(2):  # what is read wrong once may be right the second time
        with TempFile(tmp) as part:
            if _pour(source, row.path, part) and part.finish() == row.sha256:
                part.keep()
                extension = row.path.rpartition(".")[2]
                return Download(part.path, row.sha256, part.size, "", extension)
    return None


def _fetch(
    source: MediaStore, target: FolderStore, row: MediaRow, copied: Copied
) -> Download | None:
    if (download := bring(source, target.tmp, row)) is not None:
        copied.files += 1
        copied.size += download.size
        return download
    wrong = check_file(source, row)
    wrong = wrong or Finding("changed_file", row.path, "read wrong twice of four times")
    (copied.unreadable if wrong.what == "unreadable" else copied.damage).append(wrong)
    return None


def _pour(source: MediaStore, path: str, part: TempFile) -> bool:
    """Copy a file; False where it cannot be read to its end."""
    try:
        with source.open(path) as file:
            while data := file.read(PIECE):
                part.write(data)
    except OSError:
        return False
    return True


def _put_in_place(new: Path, target: Path) -> None:
    """The new database instead of the old one, whose log must not be taken for the new one's."""
    old = target / DATABASE
    if old.exists():
        with closing(sqlite3.connect(old, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    for path in _logs(old):
        path.unlink(missing_ok=True)
    sync_directory(target)  # or a power cut could bring the old log back beside the new database
    replace_file(new, old)
    sync_directory(target)


def _logs(path: Path) -> Iterator[Path]:
    return (path.with_name(path.name + end) for end in LOGS)
