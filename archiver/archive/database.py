"""Opening `archive.db`: one writer under a lock, any number of readers without."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from archiver.archive.extracts import refuse_extract
from archiver.archive.facts import (
    APPLICATION_ID,
    DATABASE,
    GUARDED,
    KNOWN_STEPS,
    KNOWN_TRIGGERS,
    ROW_HASHED,
)
from archiver.archive.lock import LOCK, SQLITE_SUFFIXES, archive_lock, refuse_links
from archiver.archive.migrate import applied_steps, check_version, migrate, refuse_foreign_triggers
from archiver.archive.opening import BUSY_MS, connect, open_to_read, refuse_foreign_log
from archiver.archive.storage_errors import damaged, storage_errors
from archiver.archive.transactions import rolled_back, transaction
from archiver.errors import ArchiverError, StorageError

log = logging.getLogger(__name__)

__all__ = [
    "APPLICATION_ID",
    "DATABASE",
    "GUARDED",
    "KNOWN_STEPS",
    "KNOWN_TRIGGERS",
    "LOCK",
    "ROW_HASHED",
    "SQLITE_SUFFIXES",
    "applied_steps",
    "archive_lock",
    "open_to_read",
    "reader",
    "refuse_lost_database",
    "rolled_back",
    "sqlite_warning",
    "storage_errors",
    "transaction",
    "writer",
]  # fmt: skip
"""What other packages need of an archive's database, whichever module defines it."""

_PAGE_SIZE = 8192  # a post with its record fills 2 to 3 KB: with 4096 nearly half a page is wasted
_CACHE_KB = 16 << 10  # of pages: SQLite's own 2 MB are read again for each page of posts
_WAL_LIMIT = 64 << 20  # bytes that stay on the disk once a long transaction is over
_FIXED_SQLITE = (3, 51, 3)  # see `sqlite_warning`


@contextmanager
def writer(
    directory: Path, *, create: bool = True, busy_ms: int = BUSY_MS, any_trigger: bool = False,
    extracts: bool = False, notify: Callable[[str], None] = log.info,
) -> Iterator[sqlite3.Connection]:  # fmt: skip
    """The only writing connection, under the lock, with an up-to-date schema.

    `busy_ms` is how long it waits for a program that holds the database without that lock.
    Foreign triggers on our tables are refused, unless `any_trigger` is true: the caller removes
    them. `notify` is called with a sentence that says where the database was copied to before its
    tables changed. An extract is refused, unless `extracts` is true.

    It is also the only one that runs checkpoints: two at a time may damage the database with SQLite
    before 3.51.3. Raises StorageError, ArchiveLocked, SchemaTooNew.
    """
    if create:
        refuse_lost_database(directory)
    with (
        archive_lock(directory, create=create),
        _damage_reported(directory),
        storage_errors(directory),
    ):
        refuse_foreign_log(directory / DATABASE)
        connection = connect(directory / DATABASE, busy_ms=busy_ms)
        try:
            connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            # on macOS a plain fsync leaves bytes in the drive's cache; elsewhere these do nothing
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA checkpoint_fullfsync = ON")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
            migrate(connection, directory, notify, any_trigger=any_trigger)
            if not any_trigger:
                refuse_foreign_triggers(connection, directory)
            if not extracts:
                refuse_extract(connection, directory)
            yield connection
            _truncate_wal(connection)
        finally:
            connection.close()


def _truncate_wal(connection: sqlite3.Connection) -> None:
    """Truncate the write-ahead log, where an open reader keeps SQLite from removing it.

    Nothing depends on it: what is in the log is read from there.
    """
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA busy_timeout = 0")  # do not wait for a reader
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def reader(directory: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can only read; needs no lock, and works while a run writes.

    Raises StorageError when there is no archive, or none that can be read, SchemaTooNew.
    """
    path = directory / DATABASE
    if not os.path.lexists(path):
        raise StorageError(
            f"There is no archive in {directory}",
            hint="Make one with archiver backup, or point [archive] directory to where it is",
            code="no_archive",
        )
    with _damage_reported(directory), storage_errors(directory):
        refuse_links(directory)
        if os.path.lexists(path.with_name(f"{DATABASE}-journal")):
            _roll_back(directory)
        refuse_foreign_log(path)
        with open_to_read(path) as connection:
            connection.execute("PRAGMA query_only = ON")
            # an archive from elsewhere may hold views that call what they should not; a writer
            # cannot have this, since the triggers of its search index count as such
            connection.execute("PRAGMA trusted_schema = OFF")
            check_version(connection, directory)
            steps = applied_steps(connection)
            if not steps:
                raise _never_finished(directory)
            if steps == KNOWN_STEPS:
                yield connection
                return
    _upgrade(directory)
    with reader(directory) as connection:
        yield connection


def _upgrade(directory: Path) -> None:
    """Upgrade an archive of an earlier version that is opened for reading.

    Raises StorageError, ArchiveLocked.
    """
    try:
        with writer(directory, create=False, extracts=True, notify=log.warning):
            pass
    except StorageError as error:
        if error.code == "damaged":
            raise
        raise StorageError(
            f"The archive in {directory} was made by an earlier version, and cannot be upgraded",
            why=error.what,
            kept="Nothing was changed",
            hint="Run any command of this version where it may write, or on a copy of the archive",
            code="schema_too_old",
        ) from error


def sqlite_warning() -> str | None:
    """A warning about the installed version of SQLite, or None.

    This program alone does not trigger the fault: one process writes and checkpoints, under a lock.
    """
    if sqlite3.sqlite_version_info >= _FIXED_SQLITE:
        return None
    return (
        f"SQLite {sqlite3.sqlite_version} can damage a database that two programs write to at "
        "once; 3.51.3 fixed that. Let no other program write to archive.db"
    )


@contextmanager
def _damage_reported(directory: Path) -> Iterator[None]:
    """Raise StorageError for an unexpected error where the database is found damaged.

    A damaged page can make any statement or conversion fail, with any error. Where no damage is
    found, the error is a bug of this program and is raised unchanged.
    """
    try:
        yield
    except (ArchiverError, OSError):
        raise
    except Exception as error:
        from archiver.archive.damage import find_corruption, may_be_damage  # noqa: PLC0415 — imports a tool for schemas

        damage = find_corruption(directory / DATABASE) if may_be_damage(error) else None
        if damage is None:
            error.add_note(
                "If it happens again, archiver verify shows whether the archive is intact"
            )
            raise
        raise damaged(directory, damage.what) from error


def _roll_back(directory: Path) -> None:
    """Roll back the transaction of a writer that was killed before the database was in WAL mode.

    A reader cannot, and without it would read pages of two states. Raises StorageError.
    """
    path = directory / DATABASE
    try:
        with (
            archive_lock(directory, create=False),
            storage_errors(directory),
            closing(connect(path)) as connection,
        ):
            connection.execute("BEGIN EXCLUSIVE")  # on its way SQLite rolls back, or finds no need
            path.with_name(f"{DATABASE}-journal").unlink(missing_ok=True)
    except StorageError as error:
        raise StorageError(
            f"A write to the archive in {directory} was interrupted",
            why=error.what,
            kept="Nothing is lost: the next run that may write finishes it",
            hint="Run the command again where it may write, and while no other run does",
            code="unfinished",
        ) from error


def refuse_lost_database(directory: Path) -> None:
    """Refuse to make a new, empty database beside the media files of an archive.

    Raises StorageError.
    """
    with storage_errors(directory):
        if os.path.lexists(directory / DATABASE) or next(directory.glob("media/*/*"), None) is None:
            return
    raise StorageError(
        f"{DATABASE} is missing in {directory}",
        why="There are media files of an archive, so this is not a new one",
        kept="Nothing was changed",
        hint="Restore it from a copy; for a new archive, move the folder media away first",
        code="database_missing",
    )


def _never_finished(directory: Path) -> StorageError:
    """The error for an archive without tables: a first run was killed while it made them."""
    return StorageError(
        f"The archive in {directory} was never finished",
        kept="Nothing was in it yet",
        hint="Run archiver backup to make it",
        code="no_archive",
    )
