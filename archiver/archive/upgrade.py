"""The copy of `archive.db` that is made before a new version changes its tables."""

import os
import sqlite3
from pathlib import Path

from archiver.disks import sync, sync_folder


def copy_before(connection: sqlite3.Connection, path: Path, step: str) -> Path:
    """Copy a database as it stands to `archive.db.before-STEP`, durably, unless it was done before.

    Raises sqlite3.Error and OSError; then there is no such copy.
    """
    copy = path.with_name(f"{path.name}.before-{step}")
    if copy.exists():  # a run that was killed behind it has not changed anything since
        return copy
    fresh = copy.with_name(f"{copy.name}.part")
    fresh.unlink(missing_ok=True)
    try:
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            connection.execute("VACUUM INTO ?", (str(fresh),))
            sync(descriptor)
        finally:
            os.close(descriptor)
        fresh.replace(copy)
    finally:
        fresh.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return copy


def _sync_folder(directory: Path) -> None:
    if os.name != "posix":
        return  # Windows has no such call; NTFS journals names
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync_folder(descriptor)
    finally:
        os.close(descriptor)
