"""Opening `archive.db`: one writer under a lock, any number of readers without."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archiver.errors import ArchiveLocked, SchemaTooNew, StorageError

DATABASE = "archive.db"
LOCK = ".lock"

_PAGE_SIZE = 8192  # a post with its record fills 2 to 3 KB: with 4096 nearly half a page is wasted
_BUSY_MS = 30_000
_FULL = {"full", "no space"}


@contextmanager
def writer(directory: Path, *, create: bool = True) -> Iterator[sqlite3.Connection]:
    """The one connection that writes, schema up to date, for as long as the lock is held.

    Raises StorageError, ArchiveLocked, SchemaTooNew.
    """
    with _lock(directory, create=create), storage_errors(directory):
        connection = _connect(directory / DATABASE)
        try:
            connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            _migrate(connection)
            yield connection
        finally:
            connection.close()


@contextmanager
def reader(directory: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can only read; needs no lock, and works while a run writes.

    Raises StorageError when there is no archive, SchemaTooNew.
    """
    path = directory / DATABASE
    if not path.exists():
        raise StorageError(
            f"There is no archive in {directory}",
            hint="Make one with archiver backup, or point [archive] directory to where it is",
            code="no_archive",
        )
    with storage_errors(directory):
        connection = _connect(path)
        try:
            connection.execute("PRAGMA query_only = ON")
            # an archive from elsewhere may hold views that call what they should not; a writer
            # cannot have this, since the triggers of its search index count as such
            connection.execute("PRAGMA trusted_schema = OFF")
            _check_version(connection, directory)
            yield connection
        finally:
            connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Inside another transaction it is a part of that one (a dry run)."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.execute("COMMIT")


@contextmanager
def storage_errors(directory: Path) -> Iterator[None]:
    """Turn what SQLite and the disk raise into StorageError, with a sentence that helps."""
    kept = "Everything that was saved before is untouched"
    try:
        yield
    except sqlite3.Error as error:
        text = str(error).lower()
        if any(word in text for word in _FULL):
            raise StorageError(
                f"The disk is full: the archive in {directory} cannot grow",
                kept=kept, hint="Free some space and run the command again", code="full",
            ) from error  # fmt: skip
        if "readonly" in text or "read-only" in text:
            raise StorageError(
                f"The archive in {directory} is read-only", kept=kept, code="read_only"
            ) from error
        if "locked" in text or "busy" in text:
            raise ArchiveLocked(
                f"The archive in {directory} is busy", kept=kept,
                hint="Another program holds its database; try again when it is done",
            ) from error  # fmt: skip
        if "malformed" in text or "not a database" in text:
            raise StorageError(
                f"The database in {directory} is damaged", why=str(error), kept=kept,
                hint="Run archiver verify, and restore archive.db from a backup", code="damaged",
            ) from error  # fmt: skip
        if "i/o" in text or "unable to open" in text:
            raise StorageError(
                f"The database in {directory} cannot be read or written", why=str(error), kept=kept
            ) from error
        raise  # a statement that is wrong is a bug of ours, and must look like one
    except OSError as error:
        raise StorageError(
            f"The archive in {directory} cannot be written", why=_reason(error), kept=kept
        ) from error


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_MS / 1000)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


@contextmanager
def _lock(directory: Path, *, create: bool) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 — readers never need it

    if not create and not (directory / DATABASE).exists():
        raise StorageError(f"There is no archive in {directory}", code="no_archive")
    with storage_errors(directory):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (DATABASE, LOCK):  # born private: SQLite gives its -wal and -shm the same mode
            if name == DATABASE and not create:
                continue
            os.close(os.open(directory / name, os.O_CREAT | os.O_RDWR, 0o600))
        lock = FileLock(directory / LOCK, mode=0o600, blocking=False)
        try:
            lock.acquire()
        except Timeout:
            raise ArchiveLocked(
                f"The archive in {directory} is in use by another run",
                kept="Nothing was changed",
                hint="Wait until it is done; the lock frees itself even if that run was killed",
            ) from None
    try:
        yield
    finally:
        lock.release()


def _migrate(connection: sqlite3.Connection) -> None:
    from sqlite_utils import Database  # noqa: PLC0415 — readers never need it

    from archiver.archive.schema import APPLICATION_ID, migrations  # noqa: PLC0415 — as above

    _check_version(connection, None)
    database = Database(connection)
    if migrations.pending(database):
        migrations.apply(database)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _check_version(connection: sqlite3.Connection, directory: Path | None) -> None:
    found = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE name = '_sqlite_migrations'"
    ).fetchone()[0]
    if not found:
        if directory is not None:
            raise StorageError(
                f"The database in {directory} is not an archive, or was never finished",
                hint="Run archiver backup to make it",
                code="no_archive",
            )
        return
    applied = {
        name
        for (name,) in connection.execute(
            "SELECT name FROM _sqlite_migrations WHERE migration_set = 'archiver'"
        )
    }
    newer = sorted(applied - KNOWN_STEPS)
    if newer:
        raise SchemaTooNew(
            "This archive was written by a newer version of archiver",
            why=f"Its schema has steps that this version does not know: {', '.join(newer)}",
            kept="Nothing was changed",
            hint="Upgrade: pip install --upgrade social-archiver",
        )


KNOWN_STEPS = frozenset({"m001_archive"})
"""Names of all steps in schema.py, here so that readers need not import sqlite-utils."""
