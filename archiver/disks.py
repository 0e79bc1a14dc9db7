"""What a disk says when it fails, in words, and how it is asked.

Both the database and the media depend on it, and neither knows the other.
"""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors by which a disk says that nothing more goes onto it."""

_WORDS = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "The disk quota is used up",
    errno.EFBIG: "A file is as large as the disk, or a limit of this user, allows",
    errno.EROFS: "The disk is read-only",
    errno.EIO: "The disk does not work properly",
    errno.EACCES: "This user is not allowed to",
    errno.EPERM: "This user is not allowed to",
    errno.EXDEV: "media and tmp must be on one disk",
    errno.ELOOP: "There is a symbolic link where a file belongs",
}
_HINTS = {
    errno.ENOSPC: "Free some space, then run again",
    errno.EDQUOT: "Free some space, then run again",
    errno.EFBIG: "Look at ulimit -f, and at what file system the disk has: FAT ends at 4 GB",
    errno.EIO: "Look at the system log and check the disk before you go on",
}
_PROBE = bytes(64 << 10)


def words_for(error: OSError) -> str:
    """What an error of the operating system means."""
    return _WORDS.get(error.errno or 0, error.strerror or type(error).__name__)


def hint_for(error: OSError) -> str | None:
    """What to do about it, where there is something to say."""
    return _HINTS.get(error.errno or 0)


def room(directory: Path) -> str | None:
    """What is free on a disk that says it is full; None where the system does not tell."""
    if not hasattr(os, "statvfs"):
        return None
    try:
        found = os.statvfs(directory)
    except OSError:
        return None
    if found.f_files and not found.f_favail:
        return "No more files can be made on it: it has no inodes left"
    return f"{found.f_bavail * found.f_frsize / 1e6:,.2f} MB are free on it"


def complaint(directory: Path) -> OSError | None:
    """What the disk of a folder says when some bytes are written to it; None where it takes them.

    SQLite has the same words for a full disk and for a dying one.
    """
    folder = directory / "tmp"
    path = (folder if folder.is_dir() else directory) / f"probe-{secrets.token_hex(8)}.part"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        return error
    try:
        rest = memoryview(_PROBE)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError as error:
        return error
    finally:
        with suppress(OSError):
            os.close(descriptor)
        with suppress(OSError):
            path.unlink()
    return None


def has_limit() -> bool:
    """Whether files may not grow beyond a size that was set for this program."""
    try:
        import resource  # noqa: PLC0415 — not on Windows
    except ImportError:
        return False
    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
