"""What every part of a run needs."""

from dataclasses import dataclass

from archiver.backup.database_thread import DatabaseThread
from archiver.clock import Clock
from archiver.models import timestamp
from archiver.report import Progress


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run: its row, the database it writes to, its clock, and whom it tells how far it is."""

    database: DatabaseThread
    run_id: int
    clock: Clock
    progress: Progress

    def now(self) -> str:
        """The time of day in the archive's form."""
        return timestamp(self.clock.now()) or ""
