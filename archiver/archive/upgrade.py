"""The upgrade of `archive.db`: the copy before it, and how far it is."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archiver.disks import sync, sync_directory

_SECONDS = 30
_OPCODES = 100_000  # some milliseconds of SQLite's work, between two looks at the clock


@dataclass(slots=True)
class UpgradeProgress:
    """Says every half a minute what an upgrade is at: a large archive takes some."""

    notify: Callable[[str], None]
    monotonic: Callable[[], float]
    doing: str = ""
    _begun: float = field(init=False)
    _told: float = field(init=False)

    def __post_init__(self) -> None:
        self._begun = self._told = self.monotonic()

    @contextmanager
    def watching(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Look at the clock while SQLite works on this connection."""
        connection.set_progress_handler(self._look, _OPCODES)
        try:
            yield
        finally:
            connection.set_progress_handler(None, 0)

    def _look(self) -> int:
        now = self.monotonic()
        if now - self._told >= _SECONDS:
            self._told = now
            self.notify(f"{self.doing}: {now - self._begun:,.0f} s so far")
        return 0  # anything else would interrupt the statement


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
