"""Looking after an archive once a day: files are verified, a copy is kept, thumbnails are made.

All of it is done under the lock of the archive. Nothing has a state of its own: a verify goes on
with the files that were not read for the longest time, a copy with the files that it lacks,
thumbnails with the pictures that have none. So it may be killed at any moment.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from archiver.archive.database import storage_errors, writer
from archiver.archive.media_files import pictures_since
from archiver.backup.mounts import remember_disk, require_disk
from archiver.config import Config
from archiver.errors import ArchiverError, ConfigError, DamageFound
from archiver.evidence.copy import copy_archive
from archiver.evidence.elsewhere import known_elsewhere
from archiver.evidence.files import Scope
from archiver.evidence.findings import Finding
from archiver.evidence.known_heads import KnownHead
from archiver.evidence.proofs import Provers
from archiver.evidence.slices import WHOLE, Slice
from archiver.evidence.verify import verify
from archiver.human import counted
from archiver.media.folder_store import FolderStore
from archiver.models import current_time
from archiver.unattended.care_log import (
    CareEntry,
    CareKind,
    CareOutcome,
    add_care,
    newest_care,
)

_ROWS_A_DAY = 1_000_000  # which take some seconds
_MOST_DAYS = 30
_MADE_AHEAD = ("s", "m")
"""The sizes of thumbnails that lists of posts show."""


@dataclass(frozen=True, slots=True)
class CareResult:
    """What one part came to. `left` are files that were not read or made, for lack of time.

    `is_logged`: the archive may be written to, and has the entry.
    """

    entry: CareEntry
    left: int = 0
    error: ArchiverError | None = None
    is_logged: bool = True


def slice_of_the_day(connection: sqlite3.Connection, now: datetime) -> Slice:
    """Which rows to verify on this day: all of a small archive, of a large one a part.

    Each of the next days has another part, so that all rows are read within a month at most.
    """
    try:
        query = "SELECT coalesce(sum(rows), 0) FROM table_checksums"
        (rows,) = connection.execute(query).fetchone()
    except sqlite3.DatabaseError:  # a verify of everything says what is wrong
        return WHOLE
    parts = min(_MOST_DAYS, 1 + rows // _ROWS_A_DAY)
    return Slice(now.toordinal() % parts + 1, parts)


@dataclass(frozen=True, slots=True)
class Care:
    """Looks after the archive of a config. `provers` check what sources signed."""

    config: Config
    provers: Provers

    def take(self, parts: Sequence[CareKind]) -> Iterator[CareResult]:
        """Do these parts, one after the other, and log each. What fails does not stop the others.

        Raises ArchiveLocked where another program writes to the archive, StorageError where it
        cannot be opened.
        """
        doing: dict[CareKind, Callable[[sqlite3.Connection], CareResult]] = {
            "verify": self._verify, "copy": self._copy, "thumbnails": self._make_thumbnails,
        }  # fmt: skip
        with writer(self.config.archive.directory, create=False) as connection:
            for what in parts:
                try:
                    with storage_errors(self.config.archive.directory):
                        result = doing[what](connection)
                except ArchiverError as error:
                    result = self._failed(what, error)
                if result.is_logged:
                    add_care(connection, result.entry, self.config.archive.actor)
                yield result

    def _verify(self, connection: sqlite3.Connection) -> CareResult:
        part = slice_of_the_day(connection, datetime.now(UTC))
        scope = Scope(
            part.part, part.parts, self.config.care.verify.total_seconds(), all_files=True
        )
        known, notes = self._known_elsewhere(connection)
        found = verify(
            self.config.archive.directory, scope, current_time(), provers=self.provers,
            known=known, open_writer=lambda _: nullcontext(connection),
        )  # fmt: skip
        found.findings += notes
        damaged = len(found.damage)
        error: ArchiverError | None = None
        if damaged:
            error = DamageFound(
                f"verify found {counted(damaged, 'integrity error')}", kept="Nothing was deleted",
                hint="Run archiver verify, which lists them, then archiver verify --repair",
            )  # fmt: skip
        outcome = _outcome(damaged, is_partial=found.is_partial)
        entry = CareEntry("verify", current_time(), outcome, found.files, found.size, damaged)
        return CareResult(entry, found.left, error, is_logged=found.may_be_written)

    def _known_elsewhere(
        self, connection: sqlite3.Connection
    ) -> tuple[list[KnownHead], list[Finding]]:
        try:
            return known_elsewhere(connection, self.config)
        except sqlite3.DatabaseError:  # verify itself will say so
            return [], []

    def _copy(self, _connection: sqlite3.Connection) -> CareResult:
        target = self.config.care.copy_to
        assert target is not None  # noqa: S101 — it is due
        require_disk(target)
        copied = copy_archive(self.config.archive.directory, target)
        remember_disk(target)
        damaged = len(copied.damage)
        error: ArchiverError | None = None
        if damaged:
            error = DamageFound(
                f"{counted(damaged, 'integrity error')} found while copying",
                kept=f"What is intact was copied to {target}" if copied.done else
                f"The copy in {target} is as it was before",
                hint="Run archiver verify, which lists them, then archiver verify --repair",
            )  # fmt: skip
        outcome = _outcome(damaged, is_partial=bool(copied.unreadable))
        entry = CareEntry(
            "copy", current_time(), outcome, copied.files, copied.size, damaged, self._target
        )  # fmt: skip
        return CareResult(entry, 0, error, is_logged=copied.done)

    def _make_thumbnails(self, connection: sqlite3.Connection) -> CareResult:
        try:
            from archiver.browse.thumbs import Thumbs, stop  # noqa: PLC0415 — an extra
        except ImportError:
            raise ConfigError(
                "Thumbnails need the extra browse",
                hint='Install it with pip install "social-archiver[browse]"',
                code="not_installed",
            ) from None
        directory = self.config.archive.directory
        thumbs = Thumbs(FolderStore(directory), directory / "cache" / "thumbs")
        ends_at = time.monotonic() + self.config.care.thumbnails.total_seconds()
        since = next(
            (entry.finished_at for entry in newest_care(connection)
             if entry.what == "thumbnails" and entry.outcome == "done"), "",
        )  # fmt: skip
        made = left = 0
        try:
            for picture in pictures_since(connection, since):
                if time.monotonic() >= ends_at:
                    left += 1
                    continue
                made += sum(thumbs.get(picture, size) is not None for size in _MADE_AHEAD)
        finally:
            stop()
        outcome: CareOutcome = "partial" if left else "done"
        return CareResult(CareEntry("thumbnails", current_time(), outcome, made), left)

    def _failed(self, what: CareKind, error: ArchiverError) -> CareResult:
        target = self._target if what == "copy" else None
        damaged = int(isinstance(error, DamageFound))
        entry = CareEntry(
            what, current_time(), "damaged" if damaged else "failed", damaged=damaged,
            target=target, error_code=error.code,
        )  # fmt: skip
        return CareResult(entry, 0, error, is_logged=not damaged)

    @property
    def _target(self) -> str:
        return str(self.config.care.copy_to)


def _outcome(damaged: int, *, is_partial: bool) -> CareOutcome:
    return "damaged" if damaged else "partial" if is_partial else "done"
