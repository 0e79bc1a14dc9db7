"""Translating errors of SQLite and the disk into errors of this program, with a hint."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archiver.disks import FULL, describe_error, free_space, has_size_limit, hint_for, write_error
from archiver.errors import ArchiveLocked, StorageError

_PRIMARY = 0xFF  # of SQLite's codes; the rest says how, not what
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_DISK = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_KEPT = "Everything that was saved before is untouched"


@contextmanager
def storage_errors(directory: Path) -> Iterator[None]:
    """Translate errors of SQLite and the disk into StorageError.

    An error of a wrong statement is a bug of this program: it is raised unchanged.
    """
    try:
        yield
    except sqlite3.Error as error:
        translated = _as_storage_error(directory, error)
        if translated is None:
            raise
        raise translated from error
    except OSError as error:
        if error.errno in FULL:
            raise _full(directory, describe_error(error)) from error
        raise StorageError(
            f"The archive in {directory} cannot be written",
            why=describe_error(error), kept=_KEPT, hint=hint_for(error),
        ) from error  # fmt: skip


def primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's own code of an error, without its details; None for one that Python raised."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY


def _as_storage_error(directory: Path, error: sqlite3.Error) -> StorageError | None:
    code = primary_code(error)
    if code == sqlite3.SQLITE_FULL:
        return _full(directory, "The disk is full")
    if code == sqlite3.SQLITE_READONLY:
        return StorageError(
            f"The archive in {directory} is read-only", kept=_KEPT, code="read_only"
        )
    if code in _BUSY:
        return ArchiveLocked(
            f"The archive in {directory} is busy", kept=_KEPT,
            hint="Another program holds its database; try again when it is done",
        )  # fmt: skip
    if code in _DAMAGED:
        return damaged(directory, str(error))
    return _by_the_disk(directory, error) if code in _DISK else None


def damaged(directory: Path, why: str) -> StorageError:
    """The error for a damaged database."""
    return StorageError(
        f"The database in {directory} is damaged",
        why=why,
        kept="Nothing was deleted",
        hint="Run archiver verify --repair; what it cannot repair, restore from a copy",
        code="damaged",
    )


def _full(directory: Path, words: str) -> StorageError:
    return StorageError(
        f"{words}: the archive in {directory} cannot grow",
        why=free_space(directory),
        kept=_KEPT,
        hint="Free some space and run the command again",
        code="full",
    )


def _by_the_disk(directory: Path, error: sqlite3.Error) -> StorageError:
    """The error for SQLite's I/O errors: a full disk is one too, so a test write finds out."""
    said = write_error(directory)
    if said is None and error.sqlite_errorcode == sqlite3.SQLITE_IOERR_WRITE and has_size_limit():
        said = OSError(errno.EFBIG, "")
    if said is not None and said.errno in FULL:
        return _full(directory, describe_error(said))
    return StorageError(
        f"The database in {directory} cannot be read or written",
        why=str(error) if said is None else describe_error(said),
        kept=_KEPT,
        hint=None if said is None else hint_for(said),
    )
