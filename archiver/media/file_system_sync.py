"""Syncing a whole file system by one call: for hundreds of small files quicker than one sync each.

`syncfs` returns when all that was written to a file system before is on the disk, bytes and names
alike (https://man7.org/linux/man-pages/man2/sync.2.html). What other programs wrote is waited for
too, so it is called only where little of that is waiting.
"""

import os
import re
import sys
import weakref
from pathlib import Path

from archiver.disks import file_system

_MEMORY = Path("/proc/meminfo")
_KINDS = frozenset({"ext4", "xfs"})
"""File systems whose `syncfs` writes names and flushes the drive's cache, as `fsync` does."""

_REPORTS_ERRORS = (5, 8)
"""The version of Linux from which on `syncfs` reports that bytes could not be written."""

_LEAST_FILES = 64
_MOST_OF_OTHERS = 32 << 20
"""Bytes of other programs, and of files that are still being received, that may wait as well."""

_RELEASE = re.compile(r"(\d+)\.(\d+)")
_WAITING = re.compile(r"^(?:Dirty|Writeback): +(\d+) kB$", re.MULTILINE | re.ASCII)


class FileSystemSync:
    """Syncs the file system of a folder that exists, from when it is made on.

    Errors of writes are reported since then: make it before the first byte is written. Where an
    error was reported, it syncs no more; which file it was can only be told file by file.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor: int | None = None
        if _is_supported(folder):
            self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            weakref.finalize(self, os.close, self._descriptor)

    def is_quicker(self, files: int, size: int) -> bool:
        """Whether to sync so many files of `size` bytes in total by one call."""
        if self._descriptor is None or files < _LEAST_FILES:
            return False
        waiting = waiting_bytes()
        return waiting is not None and waiting <= 2 * size + _MOST_OF_OTHERS

    def sync(self) -> bool:
        """Whether all that was written before is on the disk now; False where that is not sure."""
        if self._descriptor is None:
            return False
        try:
            _syncfs(self._descriptor)
        except OSError:
            self._descriptor = None
            return False
        return True


def waiting_bytes(memory: Path = _MEMORY) -> int | None:
    """How many bytes wait to be written to all disks; None where the system does not tell."""
    try:
        found = _WAITING.findall(memory.read_text("ascii"))
    except (OSError, ValueError):
        return None
    return 1024 * sum(map(int, found)) if found else None


def _is_supported(folder: Path) -> bool:
    if sys.platform != "linux":
        return False
    version = _RELEASE.match(os.uname().release)
    is_new = version is not None and (int(version[1]), int(version[2])) >= _REPORTS_ERRORS
    return is_new and file_system(folder) in _KINDS


def _syncfs(descriptor: int) -> None:
    import ctypes  # noqa: PLC0415 — takes time to load, and few runs have so many files

    # by its name in the C library of this process: Python has no such function
    library = ctypes.CDLL(None, use_errno=True)
    if library.syncfs(descriptor) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
