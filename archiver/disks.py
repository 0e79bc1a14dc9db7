"""Errors of disks in plain words, durable writes, and checks of a disk.

Used for the database and for media files alike.
"""

import errno
import os
import secrets
import sys
import time
from contextlib import suppress
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The errors of a full disk and of a full quota."""

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
_NO_FOLDER_SYNC = frozenset({
    errno.EINVAL, errno.EBADF, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP,
})  # fmt: skip
_NO_FULL_SYNC = frozenset({errno.EINVAL, errno.ENOTTY, errno.ENOTSUP, errno.EOPNOTSUPP})
_RISKY = frozenset({
    "9p", "cifs", "exfat", "fuse.sshfs", "fuse.vmhgfs-fuse", "msdos", "nfs", "nfs4", "smb3",
    "smbfs", "vboxsf", "vfat",
})  # fmt: skip
_FICLONE = 0x40049409  # linux/fs.h
_MOUNTS = Path("/proc/self/mountinfo")
_PROBE = bytes(64 << 10)
_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between tries: a virus scanner may have a new file open for a moment."""


def describe_error(error: OSError) -> str:
    """An error of the operating system in plain words."""
    return _WORDS.get(error.errno or 0, error.strerror or type(error).__name__)


def hint_for(error: OSError) -> str | None:
    """What to do about it, where there is something to say."""
    return _HINTS.get(error.errno or 0)


def clone(source: int, target: int) -> bool:
    """Let a new file share the bytes of another, by descriptors; False where the disk cannot.

    What is written to one of them later is not in the other.
    """
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415 — Windows has none

    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def sync(descriptor: int) -> None:
    """Return when a file is on the disk. Raises OSError."""
    if sys.platform == "darwin":
        import fcntl  # noqa: PLC0415 — not on Windows

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync leaves bytes in the drive's cache
        except OSError as error:
            if error.errno not in _NO_FULL_SYNC:
                raise
        else:
            return  # network file systems support only fsync
    os.fsync(descriptor)


def sync_folder(descriptor: int) -> None:
    """Return when the names in a folder are on the disk. Raises OSError.

    No error where the file system does not support that: some of networks and virtual machines.
    """
    try:
        sync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def sync_directory(directory: Path, *, if_readable: bool = False) -> None:
    """Return when the names in a folder are on the disk.

    With `if_readable`, a folder that this user may enter but not read, such as the one around the
    archive, is left to its owner. Raises OSError.
    """
    if os.name != "posix":
        return  # Windows has no such call; NTFS journals names
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        if if_readable:
            return
        raise
    try:
        sync_folder(descriptor)
    finally:
        os.close(descriptor)


def replace_file(source: Path, target: Path | str) -> None:
    """Rename a file, atomically replacing another one. Raises OSError.

    Windows refuses that while a program has the other one open, so it is tried for a while.
    """
    for wait in _WAITS if os.name == "nt" else ():
        try:
            source.replace(target)
        except PermissionError:
            time.sleep(wait)
        else:
            return
    source.replace(target)


def existing_parent(path: Path) -> Path:
    """The path where it exists, else the nearest folder above it that does."""
    return next((one for one in (path, *path.parents) if one.exists()), path)


def file_system(directory: Path, mounts: Path = _MOUNTS) -> str | None:
    """The kind of file system that a folder is, or will be, on, as Linux names it.

    None where the system does not tell.
    """
    try:
        place = existing_parent(directory.absolute())
        device = place.stat().st_dev
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except (OSError, StopIteration):
        return None
    number = f"{os.major(device)}:{os.minor(device)}"
    kind = None
    for line in lines:
        where, _, what = line.partition(" - ")
        if where.split()[2:3] == [number]:
            kind = next(iter(what.split()), None)
    return kind


def risky_file_system(directory: Path, mounts: Path = _MOUNTS) -> str | None:
    """The file system that a folder is, or will be, on, if it is one to warn of; else None.

    On those, locks and syncs do not work as on a local disk.
    """
    kind = file_system(directory, mounts)
    return kind if kind in _RISKY else None


def free_space(directory: Path) -> str | None:
    """How much space a disk has left, as a sentence; None where the system does not tell."""
    if not hasattr(os, "statvfs"):
        return None
    try:
        found = os.statvfs(directory)
    except OSError:
        return None
    if found.f_files and not found.f_favail:
        return "No more files can be made on it: it has no inodes left"
    return f"{found.f_bavail * found.f_frsize / 1e6:,.2f} MB are free on it"


def write_error(directory: Path) -> OSError | None:
    """The error when some bytes are written to the disk of a folder; None where there is none.

    SQLite gives the same error for a full disk and for a failing one.
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
        sync(descriptor)
    except OSError as error:
        return error
    finally:
        with suppress(OSError):
            os.close(descriptor)
        with suppress(OSError):
            path.unlink()
    return None


def has_size_limit() -> bool:
    """Whether a limit on the size of files (ulimit -f) is set for this process."""
    try:
        import resource  # noqa: PLC0415 — not on Windows
    except ImportError:
        return False
    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
