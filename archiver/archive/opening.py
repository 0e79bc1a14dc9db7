"""Connections to `archive.db`, and checks of its write-ahead log before one is opened."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from archiver.archive.lock import writers_excluded
from archiver.errors import StorageError

WAL_SUFFIX = "-wal"
"""Suffix of the write-ahead log's name."""

IMMUTABLE = "mode=ro&immutable=1"
"""Parameters that open a database which nobody writes to, without its log."""

BUSY_MS = 30_000
"""How long a connection waits for another one that writes."""

_NO_SHM = (
    "SQLITE_IOERR_SHM", "SQLITE_CANTOPEN", "SQLITE_READONLY_CANTINIT", "SQLITE_READONLY_RECOVERY",
)  # fmt: skip
_DISK_ERRORS = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT,
}  # fmt: skip


def connect(
    path: Path, parameters: str = "mode=rw", *, busy_ms: int = BUSY_MS
) -> sqlite3.Connection:
    """A connection with the settings that all of ours have. Nothing is read yet.

    Any thread may use it, but only one at a time.
    """
    address = f"{path.absolute().as_uri()}?{parameters}"
    connection = sqlite3.connect(
        address, uri=True, isolation_level=None, timeout=busy_ms / 1000, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cell_size_check = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def refuse_foreign_log(path: Path, *, of: Path | None = None) -> None:
    """Raise StorageError where the database is intact by itself, but not together with its log.

    `of` is the database that this one is a copy of.

    Opening both for writing would destroy the database: SQLite copies the pages of the log into it.
    """
    if not has_log(path):
        return
    alone = _identity(path, IMMUTABLE)
    if alone is None:
        return  # a new archive that is all in its log, or a damaged one, which the caller reports
    if _identity(path, "mode=ro") not in {alone, "unreadable"}:
        raise StorageError(
            f"{path.name}{WAL_SUFFIX} beside {of or path} belongs to another database",
            why=f"{path.name} is an archive by itself, but not together with this log",
            kept="Nothing was changed",
            hint=f"Move {path.name}{WAL_SUFFIX} out of the folder and run the command again",
            code="foreign_log",
        )


def is_disk_error(error: sqlite3.DatabaseError) -> bool:
    """Whether an error is about the disk or a lock, and not about the content of the database."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _DISK_ERRORS


def has_log(path: Path) -> bool:
    """Whether a database has a log that is not empty."""
    try:
        return path.with_name(path.name + WAL_SUFFIX).stat().st_size > 0
    except FileNotFoundError:
        return False


@contextmanager
def temporary_copy(path: Path) -> Iterator[Path]:
    """A temporary copy of the database and its log, in a private folder.

    Raises StorageError where there is no room for that.
    """
    with TemporaryDirectory(prefix="archiver-") as folder:
        copy = Path(folder) / path.name
        try:
            for end in ("", WAL_SUFFIX):
                shutil.copyfile(path.with_name(path.name + end), copy.with_name(copy.name + end))
        except OSError as error:
            raise StorageError(
                f"What a run has left in {path.name}{WAL_SUFFIX} cannot be read in its place",
                why=f"The database was to be copied to {copy.parent.parent}: {error.strerror}",
                kept="Nothing was changed",
                hint="Set TMPDIR to a folder with enough space",
            ) from error
        refuse_foreign_log(copy, of=path)
        yield copy


def _identity(path: Path, parameters: str) -> str | None:
    """The id of an archive; None for another database, `unreadable` after an error of the disk."""
    try:
        with closing(connect(path, parameters)) as connection:
            query = "SELECT value FROM about WHERE name = 'archive_id'"
            row = connection.execute(query).fetchone()
    except sqlite3.DatabaseError as error:
        return "unreadable" if is_disk_error(error) else None
    except UnicodeDecodeError:
        return None
    return row[0] if row else None


@contextmanager
def open_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for reading, on a read-only disk and on a full one too.

    There SQLite cannot make the files by which readers and a writer share the log. Without a log
    it is opened as immutable, under a shared lock; what a killed run has left in one is read from a
    copy of both.
    """
    with closing(_connect_to_read(path)) as connection:
        try:
            connection.execute("SELECT 1 FROM sqlite_master")
            is_readable = True
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith(_NO_SHM):
                raise
            is_readable = False
        if is_readable:
            yield connection
            return
    with ExitStack() as stack:
        if os.access(path.parent, os.W_OK):
            stack.enter_context(writers_excluded(path.parent))
        in_use = has_log(path)
        place = stack.enter_context(temporary_copy(path)) if in_use else path
        yield stack.enter_context(closing(connect(place, "mode=ro" if in_use else IMMUTABLE)))


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection for reading, on a read-only disk too.

    There SQLite cannot make the files by which readers and a writer share the log: the database is
    opened as immutable.
    """
    is_frozen = not os.access(path.parent, os.W_OK) and not has_log(path)
    return connect(path, IMMUTABLE if is_frozen else "mode=ro")
