"""The space of the archive's disk that files may use: all but a reserve.

So a run stops fetching files before the disk is full, and what is left is enough to save posts, and
for the other programs of the machine.
"""

from pathlib import Path
from shutil import disk_usage

from msgspec import Struct

from archiver.disks import existing_parent
from archiver.errors import ArchiverError

_SHARE = 20


class OutOfRoom(ArchiverError):
    """The disk has no more room for files; nothing is wrong with this one, and it waits."""

    exit_code = 3
    default_code = "no_room"


class Room(Struct, frozen=True):
    """The room on the disk of a folder.

    `reserve` is in bytes; of a disk smaller than twenty times that, it is a twentieth.
    """

    directory: Path
    reserve: int

    def left(self) -> int:
        """The bytes that files may still use; below zero where the reserve is begun.

        Where the system does not say, there is enough: writing fails soon enough.
        """
        try:
            try:  # each file asks twice, and the folder is there
                found = disk_usage(self.directory)
            except FileNotFoundError:
                found = disk_usage(existing_parent(self.directory))
        except OSError:
            return self.reserve + 1
        return found.free - min(self.reserve, found.total // _SHARE)

    @property
    def is_short(self) -> bool:
        """Whether no more files may be begun."""
        return self.reserve > 0 and self.left() <= 0
