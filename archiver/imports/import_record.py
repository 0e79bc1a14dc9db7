"""What an import puts on record of itself: its run, its packages, and their accounts."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archiver.archive import packages, runs
from archiver.archive.packages import EXPORT, PackagePart
from archiver.archive.runs import Counts
from archiver.archive.transactions import transaction
from archiver.clock import Clock
from archiver.config import Config
from archiver.errors import ArchiverError, StorageError
from archiver.evidence.signing import seal
from archiver.imports.report import MOST_PATHS, ImportProgress, ImportReport, PackageReport
from archiver.media.folder_store import FolderStore
from archiver.models import timestamp


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What was asked: the files, `--account`, `--dry-run`, `--private`."""

    files: tuple[Path, ...]
    account: str | None = None
    dry_run: bool = False
    private: bool = False

    def as_json(self) -> dict[str, object]:
        """What is put on record of it."""
        return {
            "import": [path.name for path in self.files], "account": self.account,
            "dry_run": self.dry_run, "private": self.private,
        }  # fmt: skip


@dataclass(slots=True)
class ImportRecord:
    """The rows of an import, and what all its parts work with."""

    config: Config
    options: ImportOptions
    clock: Clock
    progress: ImportProgress
    connection: sqlite3.Connection
    store: FolderStore
    run_id: int = 0
    report: ImportReport = field(default_factory=lambda: ImportReport(""))
    _of_account: dict[str, list[PackageReport]] = field(default_factory=dict)

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody interrupted it."""
        return self.report.outcome == "interrupted"

    def begin(self, version: str) -> None:
        """Begin the run."""
        self.report = ImportReport(self.now(), dry_run=self.options.dry_run)
        self.run_id = runs.begin_run(
            self.connection, self.report.started_at, version, self.options.as_json(),
            self.config.archive.actor,
        )  # fmt: skip
        self.store.prepare()

    def begin_package(
        self, report: PackageReport, parts: Sequence[PackagePart], account_id: int
    ) -> None:
        """Begin a package, and its account if it is its first; in a transaction."""
        now = self.now()
        self.report.packages.append(report)
        report.imported_before = packages.imported_before(self.connection, report.hashes)
        if report.account not in self._of_account:
            runs.begin_account(self.connection, self.run_id, report.account, EXPORT, now)
        self._of_account.setdefault(report.account, []).append(report)
        report.row_id = packages.begin_package(
            self.connection, parts, run_id=self.run_id, account_id=account_id,
            platform=report.platform, layout=report.layout, exported_at=report.exported_at,
            imported_at=now,
        )  # fmt: skip

    @contextmanager
    def reported(self, report: PackageReport) -> Iterator[None]:
        """Errors of the block that end a package, and not the run, as its result."""
        try:
            yield
        except KeyboardInterrupt:
            report.interrupted = True
        except StorageError:
            raise
        except ArchiverError as error:
            report.error = error

    def end_package(self, report: PackageReport, account_id: int) -> None:
        """Save the result of a package, and of its account so far."""
        with transaction(self.connection):
            packages.end_package(
                self.connection, report.row_id, report.outcome, report.counts.as_json()
            )
            self._end_account(account_id, report)

    def _end_account(self, account_id: int, report: PackageReport) -> None:
        """Save the result of an account in the run: of all its packages so far."""
        reports = self._of_account[report.account]
        error = next((each.error for each in reports if each.error is not None), None)
        values = {
            "account_id": account_id, "finished_at": self.now(),
            "outcome": ImportReport("", packages=reports).outcome,
            "error_code": error.code if error else None, "message": str(error) if error else None,
            "unmapped": sum(each.counts.unmapped for each in reports),
            "unmapped_paths": _paths_json(reports), **_run_counts(reports).columns(),
        }  # fmt: skip
        runs.end_account(self.connection, self.run_id, report.account, EXPORT, values)

    def end(self, error: BaseException | None) -> None:
        """Save the result of the run, and seal what it wrote."""
        report = self.report
        report.finished_at = self.now()
        try:
            runs.end_run(
                self.connection, self.run_id, report.finished_at,
                outcome="failed" if error else report.outcome,
                exit_code=getattr(error, "exit_code", 1) if error else report.exit_code,
                received=sum(each.counts.bytes for each in report.packages),
                accounts={
                    (name, EXPORT): _run_counts(each) for name, each in self._of_account.items()
                },
            )  # fmt: skip
            if not self.options.dry_run:
                sealed = seal(self.connection, self.config, report.finished_at, self.run_id)
                if sealed.problem is not None:
                    self.progress.note(sealed.problem)
        except sqlite3.Error:
            if error is None:  # an import that fails raises its own error
                raise

    def now(self) -> str:
        """The time, as rows have it."""
        return timestamp(self.clock.now()) or ""


def _run_counts(reports: Sequence[PackageReport]) -> Counts:
    counts = [each.counts for each in reports]
    return Counts(
        got=sum(each.records for each in counts),
        new=sum(each.new for each in counts),
        edited=sum(each.edited for each in counts),
        stored=sum(each.files_new for each in counts),
        failed=sum(each.files_missing + each.files_failed for each in counts),
    )


def _paths_json(reports: Sequence[PackageReport]) -> str | None:
    paths = sorted({path for each in reports for path in each.unmapped_paths})
    return json.dumps(paths[:MOST_PATHS]) if paths else None
