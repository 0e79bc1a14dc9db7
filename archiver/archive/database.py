"""Opening `archive.db`: one writer under a lock, any number of readers without."""

import errno
import logging
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from archiver.archive.lock_owner import lock_owner, write_lock_owner
from archiver.archive.opening import (
    BUSY_MS,
    FROZEN,
    connect,
    copied,
    has_log,
    refuse_foreign_log,
)
from archiver.archive.upgrade import copy_before
from archiver.disks import FULL, complaint, has_limit, hint_for, room, sync_directory, words_for
from archiver.errors import ArchiveLocked, ArchiverError, SchemaTooNew, StorageError

log = logging.getLogger(__name__)

DATABASE = "archive.db"
LOCK = ".lock"
LOGS = ("-wal", "-shm", "-journal")
"""Ends of the names of what SQLite keeps beside a database."""

_PAGE_SIZE = 8192  # a post with its record fills 2 to 3 KB: with 4096 nearly half a page is wasted
_SOUND = (3, 51, 3)  # of SQLite: see `sqlite_warning`
_DAMAGED = {"malformed", "not a database"}
_FULL = {"full", "no space"}
_NO_SHM = (
    "SQLITE_IOERR_SHM", "SQLITE_CANTOPEN", "SQLITE_READONLY_CANTINIT", "SQLITE_READONLY_RECOVERY",
)  # fmt: skip
_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP})
_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)  # not on Windows


@contextmanager
def writer(
    directory: Path, *, create: bool = True, busy_ms: int = BUSY_MS, any_trigger: bool = False,
    tell: Callable[[str], None] = log.info,
) -> Iterator[sqlite3.Connection]:  # fmt: skip
    """The one connection that writes, schema up to date, for as long as the lock is held.

    `busy_ms` is how long it waits for a program that holds the database without that lock.
    Triggers of other hands on our tables are refused, unless `any_trigger` says that they are to
    be taken away. `tell` is told where the database was copied to before its tables changed.

    It is also the only one that moves pages from the log into the database: two that do may, with
    SQLite before 3.51.3, damage it. Raises StorageError, ArchiveLocked, SchemaTooNew.
    """
    if create:
        refuse_lost_database(directory)
    with locked(directory, create=create), _damage_told(directory), storage_errors(directory):
        refuse_foreign_log(directory / DATABASE)
        connection = connect(directory / DATABASE, busy_ms=busy_ms)
        try:
            connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            _migrate(connection, directory, tell, any_trigger=any_trigger)
            if not any_trigger:
                _refuse_foreign_triggers(connection, directory)
            yield connection
        finally:
            connection.close()


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
    with _damage_told(directory), storage_errors(directory):
        _refuse_links(directory)
        if os.path.lexists(path.with_name(f"{DATABASE}-journal")):
            _roll_back(directory)
        refuse_foreign_log(path)
        with open_to_read(path) as connection:
            connection.execute("PRAGMA query_only = ON")
            # an archive from elsewhere may hold views that call what they should not; a writer
            # cannot have this, since the triggers of its search index count as such
            connection.execute("PRAGMA trusted_schema = OFF")
            _check_version(connection, directory)
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
    """Bring an archive of an earlier version up to date, for somebody who only wants to read it.

    Raises StorageError, ArchiveLocked.
    """
    try:
        with writer(directory, create=False, tell=log.warning):
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
    """What is to be known of the SQLite that this runs on, or None.

    Nothing that we do meets its fault: one process writes, under a lock, and moves pages.
    """
    if sqlite3.sqlite_version_info >= _SOUND:
        return None
    return (
        f"SQLite {sqlite3.sqlite_version} can damage a database that two programs write to at "
        "once; 3.51.3 mended that. This program alone does not: let no other write to archive.db"
    )


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
            raise _full(directory, "The disk is full") from error
        if "readonly" in text or "read-only" in text:
            raise StorageError(
                f"The archive in {directory} is read-only", kept=kept, code="read_only"
            ) from error
        if "locked" in text or "busy" in text:
            raise ArchiveLocked(
                f"The archive in {directory} is busy", kept=kept,
                hint="Another program holds its database; try again when it is done",
            ) from error  # fmt: skip
        if any(word in text for word in _DAMAGED):
            raise _damaged(directory, str(error)) from error
        if "i/o" in text or "unable to open" in text:
            raise _by_the_disk(directory, error) from error
        raise  # a statement that is wrong is a bug of ours, and must look like one
    except OSError as error:
        if error.errno in FULL:
            raise _full(directory, words_for(error)) from error
        raise StorageError(
            f"The archive in {directory} cannot be written",
            why=words_for(error), kept=kept, hint=hint_for(error),
        ) from error  # fmt: skip


@contextmanager
def _damage_told(directory: Path) -> Iterator[None]:
    """An error that nobody foresaw is a bug of ours, unless the database is found damaged.

    Whatever stands in damaged pages, from a name in the schema to a time that is none, may fail
    anywhere and with any error; and a wrong statement must still look like the bug that it is.
    """
    try:
        yield
    except (ArchiverError, OSError):
        raise
    except Exception as error:
        from archiver.archive.soundness import find_corruption  # noqa: PLC0415 — imports the schema

        damage = find_corruption(directory / DATABASE)
        if damage is None:
            raise
        raise _damaged(directory, damage.what) from error


def _damaged(directory: Path, why: str) -> StorageError:
    return StorageError(
        f"The database in {directory} is damaged",
        why=why,
        kept="Nothing was deleted",
        hint="Run archiver verify --repair; what it cannot put right, take from a copy",
        code="damaged",
    )


def _full(directory: Path, words: str) -> StorageError:
    return StorageError(
        f"{words}: the archive in {directory} cannot grow",
        why=room(directory),
        kept="Everything that was saved before is untouched",
        hint="Free some space and run the command again",
        code="full",
    )


def _by_the_disk(directory: Path, error: sqlite3.Error) -> StorageError:
    """What SQLite calls an I/O error may be a full disk, too: the disk itself says it better."""
    said = complaint(directory)
    if said is None and error.sqlite_errorname == "SQLITE_IOERR_WRITE" and has_limit():
        said = OSError(errno.EFBIG, "")
    if said is not None and said.errno in FULL:
        return _full(directory, words_for(said))
    return StorageError(
        f"The database in {directory} cannot be read or written",
        why=str(error) if said is None else words_for(said),
        kept="Everything that was saved before is untouched",
        hint=None if said is None else hint_for(said),
    )


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
            stack.enter_context(_nobody_writes(path.parent))
        in_use = has_log(path)
        place = stack.enter_context(copied(path)) if in_use else path
        yield stack.enter_context(closing(connect(place, "mode=ro" if in_use else FROZEN)))


@contextmanager
def _nobody_writes(directory: Path) -> Iterator[None]:
    """Keep writers out for a while; other readers may do the same.

    Raises ArchiveLocked, OSError.
    """
    import fcntl  # noqa: PLC0415 — not on Windows

    descriptor = os.open(directory / LOCK, os.O_RDONLY | os.O_CREAT | _NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(directory) from None
        yield
    finally:
        os.close(descriptor)


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection for reading, on a read-only disk too.

    There SQLite cannot make the files by which readers and a writer share the log, and needs to
    be told that nobody writes.
    """
    is_frozen = not os.access(path.parent, os.W_OK) and not has_log(path)
    return connect(path, FROZEN if is_frozen else "mode=ro")


def _roll_back(directory: Path) -> None:
    """Undo what a writer had half written when it was killed, before there was a log.

    A reader cannot, and without it would read pages of two states. Raises StorageError.
    """
    path = directory / DATABASE
    try:
        with (
            locked(directory, create=False),
            storage_errors(directory),
            closing(connect(path)) as connection,
        ):
            connection.execute("BEGIN EXCLUSIVE")  # on its way SQLite rolls back, or finds no need
            path.with_name(f"{DATABASE}-journal").unlink(missing_ok=True)
    except StorageError as error:
        raise StorageError(
            f"The archive in {directory} was interrupted in the middle of a write",
            why=error.what,
            kept="Nothing is lost: the next run that may write finishes it",
            hint="Run the command again where it may write, and while no other run does",
            code="unfinished",
        ) from error


def refuse_lost_database(directory: Path) -> None:
    """A new archive around the files of an old one would look like that one, and know nothing.

    Raises StorageError.
    """
    with storage_errors(directory):
        if os.path.lexists(directory / DATABASE) or next(directory.glob("media/*/*"), None) is None:
            return
    raise StorageError(
        f"{DATABASE} is missing in {directory}",
        why="There are media files of an archive, so it was not begun just now",
        kept="Nothing was changed",
        hint="Bring it back from a copy; for a new archive, move the folder media away first",
        code="database_missing",
    )


def _refuse_links(directory: Path) -> None:
    """A link in place of one of our files would have us read, or write to, what it points to."""
    for name in (DATABASE, *(f"{DATABASE}{end}" for end in LOGS), LOCK):
        path = directory / name
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            raise StorageError(
                f"{path} is not a regular file",
                why="A link or a device in its place could lead anywhere",
                kept="Nothing was read or written",
                hint="Move the whole archive folder rather than single files of it",
                code="link",
            )


@contextmanager
def locked(directory: Path, *, create: bool = True, database: bool = True) -> Iterator[None]:
    """Hold the lock of an archive folder, which is made if need be, with its `database` or without.

    Raises ArchiveLocked at once where another program holds it, StorageError.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 — readers never need it

    if database and not create and not (directory / DATABASE).exists():
        raise StorageError(f"There is no archive in {directory}", code="no_archive")
    with storage_errors(directory):
        _make(directory)
        _refuse_links(directory)
        for name in (DATABASE, LOCK):  # born private: SQLite gives its -wal and -shm the same mode
            if name == LOCK or (create and database):
                descriptor = os.open(directory / name, os.O_CREAT | os.O_RDWR | _NOFOLLOW, 0o600)
                try:
                    _make_private(descriptor)
                finally:
                    os.close(descriptor)
        sync_directory(directory, if_readable=True)
        lock = FileLock(
            directory / LOCK,
            mode=0o600,
            blocking=False,
            fallback_to_soft=False,
            on_acquired=write_lock_owner,
        )
        try:
            lock.acquire()
        except Timeout:
            raise _in_use(directory) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            raise StorageError(
                f"The disk of {directory} cannot lock files, so two runs could damage the archive",
                why=words_for(error),
                kept="Nothing was changed",
                hint="Keep the archive on a local disk, then archiver copy it to this one",
                code="no_locks",
            ) from error
    try:
        yield
    finally:
        lock.release()


def _make_private(descriptor: int) -> None:
    """Take from others what an earlier program, or a careless hand, allowed them."""
    if os.name == "posix":
        status = os.fstat(descriptor)
        if status.st_uid == os.geteuid() and status.st_mode & 0o077:
            os.fchmod(descriptor, 0o600)


def _in_use(directory: Path) -> ArchiveLocked:
    who = lock_owner(directory / LOCK)
    if who is not None and who.is_long(datetime.now(UTC)):
        hint = "That is more than a day: look at that process; the lock frees itself when it ends"
    else:
        hint = "Wait until it is done; the lock frees itself even if that run was killed"
    return ArchiveLocked(
        f"The archive in {directory} is in use by {who or 'another run'}",
        kept="Nothing was changed",
        hint=hint,
    )


def _make(directory: Path) -> None:
    """Make the archive's folder, if need be with those above it, so that a power cut spares it.

    Raises OSError.
    """
    missing = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True, mode=0o700 if folder == directory else 0o777)
        sync_directory(folder.parent, if_readable=True)
    if not missing:  # whoever made it may have been killed before its name was safe
        sync_directory(directory.parent, if_readable=True)


def _migrate(
    connection: sqlite3.Connection, directory: Path, tell: Callable[[str], None], *,
    any_trigger: bool,
) -> None:  # fmt: skip
    """Apply the steps that are missing; a database that has some already is copied before."""
    has_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    before: frozenset[str] = frozenset()
    if has_tables:
        _check_version(connection, directory)
        before = applied_steps(connection)
        if before == KNOWN_STEPS:
            return
    else:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    if before and not any_trigger:
        _refuse_foreign_triggers(connection, directory)  # before they act on what a step writes
    from sqlite_utils import Database  # noqa: PLC0415 — takes longer to import than to open a file

    from archiver.archive.schema import migrations  # noqa: PLC0415 — as above

    database = Database(connection)
    if pending := migrations.pending(database):
        if before:  # where the first step never came to its end, there is nothing to copy
            copy = copy_before(connection, directory / DATABASE, pending[0].name)
            tell(f"The database as it was before this version is in {copy}")
        connection.execute("PRAGMA foreign_keys = OFF")  # tables that others refer to are made anew
        try:
            migrations.apply(database)
        finally:
            connection.execute("PRAGMA foreign_keys = ON")


def _never_finished(directory: Path) -> StorageError:
    """A first run that was killed while it made the tables has left an archive without any."""
    return StorageError(
        f"The archive in {directory} was never finished",
        kept="Nothing was in it yet",
        hint="Run archiver backup to make it",
        code="no_archive",
    )


def _check_version(connection: sqlite3.Connection, directory: Path) -> None:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if tables and application_id != APPLICATION_ID:
        raise StorageError(
            f"The database in {directory} is not an archive",
            why=f"It says that it is of application {application_id:#x}, not {APPLICATION_ID:#x}",
            kept="Nothing was changed",
            hint="Point [archive] directory to an archive; if it is one, run archiver verify",
            code="not_an_archive",
        )
    if "posts" in tables and not ("_sqlite_migrations" in tables and applied_steps(connection)):
        raise _damaged(directory, "It does not say any more which steps made its tables")
    if "_sqlite_migrations" not in tables:
        raise StorageError(
            f"The database in {directory} is not an archive, or was never finished",
            hint="Run archiver backup to make it",
            code="no_archive",
        )
    newer = sorted(applied_steps(connection) - KNOWN_STEPS)
    if newer:
        raise SchemaTooNew(
            "This archive was written by a newer version of archiver",
            why=f"Its schema has steps that this version does not know: {', '.join(newer)}",
            kept="Nothing was changed",
            hint="Upgrade: pip install --upgrade social-archiver",
        )


def applied_steps(connection: sqlite3.Connection) -> frozenset[str]:
    """The names of the steps that have made an archive what it is."""
    query = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'archiver'"
    return frozenset(name for (name,) in connection.execute(query))


def _refuse_foreign_triggers(connection: sqlite3.Connection, directory: Path) -> None:
    """A trigger of other hands would write, or swallow, rows whenever we write others."""
    query = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    foreign = [
        f"{name} on {table}"
        for name, table in connection.execute(query)
        if name not in KNOWN_TRIGGERS and table.lower() in GUARDED
    ]
    if foreign:
        raise StorageError(
            f"The archive in {directory} has triggers that are none of this program's",
            why=f"They act whenever something is saved: {', '.join(foreign)}",
            kept="Nothing was changed",
            hint="Run archiver verify to see what they do; with --repair it takes them away",
            code="foreign_trigger",
        )


APPLICATION_ID = 0x61726368  # "arch": tells `file` and us what this database is

KNOWN_STEPS = frozenset({"m001_archive", "m002_sources", "m003_media", "m004_search"})
"""Names of all steps in schema.py, here so that readers need not import sqlite-utils."""

KNOWN_TRIGGERS = frozenset({
    "account_names_stay", "account_names_keep", "revisions_stay", "events_stay", "events_keep",
    "posts_fts_insert", "posts_fts_delete", "posts_fts_update",
})  # fmt: skip
"""Names of all triggers in schema.py, here for the same reason."""

ROW_HASHED = (
    "about", "runs", "accounts", "account_names", "run_accounts", "responses", "posts",
    "post_sources", "post_aliases",
    "relations", "revisions", "attachments", "media", "renditions", "events", "metrics",
    "coverage", "storage_totals", "quarantine",
)  # fmt: skip
"""The tables whose rows carry a hash of themselves, and are counted in `table_checksums`."""

GUARDED = frozenset({*ROW_HASHED, "table_checksums", "sightings", "holdings", "tallies"})
"""The tables that only this program may write to, by those names too that they once had."""
