"""The few ways in which this program touches files that it must be able to trust.

Everything is private to its owner (0600, 0700), nothing is written through a link, and a sync that
fails is a failure: the kernel may have dropped the bytes and report success the next time.
"""

import errno
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from archiver.errors import StorageError

PIECE = 1 << 20
"""Bytes that are read, hashed or written at once."""

_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)  # not on Windows
_BINARY: int = getattr(os, "O_BINARY", 0)  # only on Windows

_WORDS = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "The disk quota is used up",
    errno.EROFS: "The disk is read-only",
    errno.EIO: "The disk does not work properly",
    errno.EACCES: "This user is not allowed to",
    errno.EPERM: "This user is not allowed to",
    errno.EXDEV: "media and tmp must be on one disk",
    errno.ELOOP: "There is a symbolic link in it; link to the whole archive folder instead",
}
_HINTS = {
    errno.ENOSPC: "Free some space, then run again",
    errno.EDQUOT: "Free some space, then run again",
    errno.EIO: "Look at the system log and check the disk before you go on",
}


def storage_error(error: OSError, doing: str) -> StorageError:
    """What an error of the operating system means to the user. `doing` completes "Cannot"."""
    number = error.errno or 0
    words = _WORDS.get(number, error.strerror or type(error).__name__)
    return StorageError(
        f"Cannot {doing}",
        why=words,
        kept="What was stored before is safe",
        hint=_HINTS.get(number),
        code="full" if number in {errno.ENOSPC, errno.EDQUOT} else None,
    )


def create_file(path: Path) -> int:
    """A descriptor of a new, empty, private file. Raises OSError, also where there is one."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY, 0o600)


def open_file(path: Path | str) -> int:
    """A descriptor to read a regular file. Raises OSError, also for a link or anything else."""
    descriptor = os.open(path, os.O_RDONLY | _NOFOLLOW | _BINARY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return descriptor


def sync_file(path: Path) -> None:
    """Return when the file's bytes are on the disk. Raises OSError."""
    # Windows syncs only what is open for writing
    descriptor = open_file(path) if os.name == "posix" else os.open(path, os.O_RDWR | _BINARY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Return when the names in a folder are on the disk. Raises OSError."""
    if os.name != "posix":
        return  # Windows has no such call; NTFS journals names
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: Path) -> bool:
    """Make a private folder and its name durable; False where it was there before.

    Raises OSError, also where something else has its name.
    """
    return bool(make_directories([path]))


def make_directories(paths: Iterable[Path]) -> list[Path]:
    """Make private folders and, with one sync of each folder that they are in, their names durable.

    Returns those that were not there before. Raises OSError, also where something else has the
    name of one.
    """
    made = [path for path in sorted(paths) if _make(path)]
    for parent in sorted({path.parent for path in made}):
        sync_directory(parent)
    return made


def _make(path: Path) -> bool:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, "It is a symbolic link", str(path)) from None
        if not stat.S_ISDIR(mode):
            raise
        return False
    return True


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl  # noqa: PLC0415 — only there

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync leaves the bytes in the drive's cache
    else:
        os.fsync(descriptor)
