"""The objects that every part of a run uses."""

from msgspec import Struct

from archiver.backup.database_thread import DatabaseThread
from archiver.clock import Clock
from archiver.models import timestamp
from archiver.report import Progress


class RunContext(Struct, frozen=True):
    """One run: its database and row, its clock, and its progress display."""

    database: DatabaseThread
    run_id: int
    clock: Clock
    progress: Progress

    def now(self) -> str:
        """The current time as the archive writes it."""
        return timestamp(self.clock.now()) or ""
