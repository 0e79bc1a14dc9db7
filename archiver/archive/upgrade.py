"""The copy of `archive.db` that is made before a new version changes its tables."""

import os
import sqlite3
from pathlib import Path

from archiver.disks import sync, sync_directory


def copy_before(connection: sqlite3.Connection, path: Path, step: str) -> Path:
    """Copy the current database to `archive.db.before-STEP`, durably.

    One from an earlier attempt is replaced: the step did not happen then, and rows may have come
    since. Raises sqlite3.Error and OSError; then there is no such copy.
    """
    copy = path.with_name(f"{path.name}.before-{step}")
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
    sync_directory(path.parent, if_readable=True)
    return copy
