"""Connections to `archive.db`, and checks of its write-ahead log before one is opened."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from archiver.archive.lock import nobody_writes
from archiver.errors import StorageError

LOG = "-wal"
"""How the name of the log ends."""

FROZEN = "mode=ro&immutable=1"
"""How to open a database that nobody writes to, without its log."""

BUSY_MS = 30_000
"""How long a connection waits for another one that writes."""

_NO_SHM = (
    "SQLITE_IOERR_SHM", "SQLITE_CANTOPEN", "SQLITE_READONLY_CANTINIT", "SQLITE_READONLY_RECOVERY",
)  # fmt: skip
_OF_THE_DISK = {
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
    alone = _identity(path, FROZEN)
    if alone is None:
        return  # a new archive that is all in its log, or a damaged one, which the caller reports
    if _identity(path, "mode=ro") not in {alone, "unreadable"}:
        raise StorageError(
            f"{path.name}{LOG} beside {of or path} belongs to another database",
            why=f"{path.name} is an archive by itself, but not together with this log",
            kept="Nothing was changed",
            hint=f"Move {path.name}{LOG} out of the folder and run the command again",
            code="foreign_log",
        )


def is_of_the_disk(error: sqlite3.DatabaseError) -> bool:
    """Whether an error is about the disk or a lock, and not about the content of the database."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _OF_THE_DISK


def has_log(path: Path) -> bool:
    """Whether a database has a log that is not empty."""
    try:
        return path.with_name(path.name + LOG).stat().st_size > 0
    except FileNotFoundError:
        return False


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """The database and its log in a folder that only we can read, for as long as it lasts.

    Raises StorageError where there is no room for that.
    """
    with TemporaryDirectory(prefix="archiver-") as folder:
        copy = Path(folder) / path.name
        try:
            for end in ("", LOG):
                shutil.copyfile(path.with_name(path.name + end), copy.with_name(copy.name + end))
        except OSError as error:
            raise StorageError(
                f"What a run has left in {path.name}{LOG} cannot be read in its place",
                why=f"The database was to be copied to {copy.parent.parent}: {error.strerror}",
                kept="Nothing was changed",
                hint="Let TMPDIR name a folder with room for it",
            ) from error
        refuse_foreign_log(copy, of=path)
        yield copy


def _identity(path: Path, parameters: str) -> str | None:
    """Which archive a database is; None where it is none, `unreadable` where the disk says no."""
    try:
        with closing(connect(path, parameters)) as connection:
            query = "SELECT value FROM about WHERE name = 'archive_id'"
            row = connection.execute(query).fetchone()
    except sqlite3.DatabaseError as error:
        return "unreadable" if is_of_the_disk(error) else None
    except UnicodeDecodeError:
        return None
    return row[0] if row else None


@contextmanager
def open_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for reading, on a read-only disk and on a full one too.

    There SQLite cannot make the files by which readers and a writer share the log. Without a log
    it is told that nobody writes, which is what the lock is for; what a killed run has left in one
    is read from a copy of both.
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
            stack.enter_context(nobody_writes(path.parent))
        in_use = has_log(path)
        place = stack.enter_context(copied(path)) if in_use else path
        yield stack.enter_context(closing(connect(place, "mode=ro" if in_use else FROZEN)))


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection for reading, on a read-only disk too.

    There SQLite cannot make the files by which readers and a writer share the log, and needs to
    be told that nobody writes.
    """
    is_frozen = not os.access(path.parent, os.W_OK) and not has_log(path)
    return connect(path, FROZEN if is_frozen else "mode=ro")
