"""File operations for archives: private, durable, and never through a symbolic link.

New files have mode 0600, new folders 0700. A sync that fails is an error and is not repeated: the
kernel may have dropped the bytes, and would report success the next time.
"""

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from archiver.disks import FULL, describe_error, free_space, hint_for, sync, sync_directory
from archiver.errors import StorageError

CHUNK_SIZE = 1 << 20
"""Bytes that are read, hashed or written at once."""

_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)  # not on Windows
_BINARY: int = getattr(os, "O_BINARY", 0)  # only on Windows


def storage_error(error: OSError, doing: str) -> StorageError:
    """An error of the operating system as one for the user. `doing` completes "Cannot …"."""
    is_full = error.errno in FULL
    free = free_space(Path(error.filename).parent) if is_full and error.filename else None
    return StorageError(
        f"Cannot {doing}",
        why=". ".join(filter(None, (describe_error(error), free))),
        kept="What was stored before is safe",
        hint=hint_for(error),
        code="full" if is_full else None,
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


def start_writeback(descriptor: int, offset: int, size: int) -> None:
    """Ask the system to write a part of a file to the disk and drop it from its cache.

    Does not wait for that. Raises OSError.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, offset, size, os.POSIX_FADV_DONTNEED)


def sync_file(path: Path | str) -> None:
    """Return when the file's bytes are on the disk. Raises OSError."""
    # Windows syncs only what is open for writing
    descriptor = open_file(path) if os.name == "posix" else os.open(path, os.O_RDWR | _BINARY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def is_link(found: os.stat_result) -> bool:
    """Whether it is a link, by what lstat says; on Windows a junction is one too."""
    attributes = getattr(found, "st_file_attributes", 0)  # only on Windows
    return stat.S_ISLNK(found.st_mode) or bool(attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT)


def refuse_link(path: Path | str) -> None:
    """Raise OSError where the path is a link, or does not exist."""
    if is_link(os.lstat(path)):
        raise OSError(errno.ELOOP, "It is a symbolic link", str(path))


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
        refuse_link(path)
        if not path.is_dir():
            raise
        return False
    return True
