"""The folder of an archive, and the lock by which one program at a time writes to it."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from archiver.archive.facts import DATABASE
from archiver.archive.lock_owner import lock_owner, write_lock_owner
from archiver.archive.storage_errors import storage_errors
from archiver.disks import describe_error, sync_directory
from archiver.errors import ArchiveLocked, StorageError

LOCK = ".lock"
SQLITE_SUFFIXES = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps beside a database."""

_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP})
_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)  # not on Windows


@contextmanager
def archive_lock(directory: Path, *, create: bool = True, database: bool = True) -> Iterator[None]:
    """Hold the lock of an archive folder, which is made if need be; with `database`, its file too.

    Raises ArchiveLocked at once where another program holds it, StorageError.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 — readers never need it

    if database and not create and not (directory / DATABASE).exists():
        raise StorageError(f"There is no archive in {directory}", code="no_archive")
    with storage_errors(directory):
        _make(directory)
        refuse_links(directory)
        # private from the start: SQLite gives its -wal and -shm the same mode
        for name in (DATABASE, LOCK):
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
                why=describe_error(error),
                kept="Nothing was changed",
                hint="Keep the archive on a local disk, then archiver copy it to this one",
                code="no_locks",
            ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def writers_excluded(directory: Path) -> Iterator[None]:
    """Hold a shared lock that keeps writers out; several readers may hold it.

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


def refuse_links(directory: Path) -> None:
    """Refuse links in place of our files: what they point to would be read or written.

    Raises StorageError.
    """
    for name in (DATABASE, *(f"{DATABASE}{end}" for end in SQLITE_SUFFIXES), LOCK):
        path = directory / name
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            raise StorageError(
                f"{path} is not a regular file",
                why="A link or a device in its place could lead anywhere",
                kept="Nothing was read or written",
                hint="Move the whole archive folder rather than single files of it",
                code="link",
            )


def _make_private(descriptor: int) -> None:
    """Remove access by others, which an earlier program or the user may have allowed."""
    if os.name == "posix":
        status = os.fstat(descriptor)
        if status.st_uid == os.geteuid() and status.st_mode & 0o077:
            os.fchmod(descriptor, 0o600)


def _in_use(directory: Path) -> ArchiveLocked:
    who = lock_owner(directory / LOCK)
    if who is not None and who.is_overdue(datetime.now(UTC)):
        hint = "That is more than a day: look at that process; the lock frees itself when it ends"
    else:
        hint = "Wait until it is done; the lock frees itself even if that run was killed"
    return ArchiveLocked(
        f"The archive in {directory} is in use by {who or 'another run'}",
        kept="Nothing was changed",
        hint=hint,
    )


def _make(directory: Path) -> None:
    """Make the archive's folder durably, if need be with those above it.

    Raises OSError.
    """
    missing = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True, mode=0o700 if folder == directory else 0o777)
        sync_directory(folder.parent, if_readable=True)
    if not missing:  # whoever made it may have been killed before its name was safe
        sync_directory(directory.parent, if_readable=True)
