"""The progress and the report of an import, for people and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol

from archiver.errors import ArchiverError

MOST_PATHS = 100
"""Fields without a place that are named, at most."""

ImportOutcome = Literal["done", "partial", "failed", "interrupted"]


class ImportProgress(Protocol):
    """Receives the progress of an import."""

    def begin(self, what: str, total: int, unit: Literal["bytes", "posts"]) -> None:
        """A step begins, with so many bytes or posts to read."""

    def advance(self, count: int) -> None:
        """So many more of them are read."""

    def copied(self, files: int, size: int) -> None:
        """So many more files of the package, of so many bytes, are copied."""

    def note(self, text: str) -> None:
        """A message to show at once."""


class NoImportProgress:
    """An ImportProgress that shows nothing."""

    def begin(self, what: str, total: int, unit: Literal["bytes", "posts"]) -> None:
        """Nothing."""

    def advance(self, count: int) -> None:
        """Nothing."""

    def copied(self, files: int, size: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


@dataclass(slots=True)
class ImportCounts:
    """What was read of a package, and what it brought.

    A post is `new`, known from an earlier import (`known`), or one that another source showed
    before: matched by its id, or by a rule. A file is new, or held already by its bytes. What was
    never published is left out, unless it was asked for.
    """

    records: int = 0
    new: int = 0
    known: int = 0
    matched_by_id: int = 0
    matched_by_rule: int = 0
    edited: int = 0
    quarantined: int = 0
    files_new: int = 0
    files_held: int = 0
    files_missing: int = 0
    files_failed: int = 0
    bytes: int = 0
    unmapped: int = 0
    private_left_out: int = 0

    def as_json(self) -> dict[str, int]:
        """The numbers by their names."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(slots=True)
class PackageReport:
    """The result of one package.

    `missing` are files that it should have; `not_read` are parts of it that are not posts.
    `failures` are files that could not be kept, with the reason. `imported_before` is when the same
    package was imported completely. `row_id` is its row in the table `packages`.
    """

    names: Sequence[str]
    platform: str
    title: str
    layout: str
    exported_at: str
    hashes: Sequence[str] = ()
    account: str = ""
    counts: ImportCounts = field(default_factory=ImportCounts)
    missing: Sequence[str] = ()
    not_read: Sequence[str] = ()
    unmapped_paths: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    imported_before: str | None = None
    error: ArchiverError | None = None
    interrupted: bool = False
    row_id: int = 0

    def add_unmapped(self, paths: Sequence[str]) -> None:
        """Count the fields of a record that are not understood."""
        self.counts.unmapped += len(paths)
        for path in paths:
            if path in self.unmapped_paths or len(self.unmapped_paths) < MOST_PATHS:
                self.unmapped_paths[path] = self.unmapped_paths.get(path, 0) + 1

    @property
    def outcome(self) -> ImportOutcome:
        """Its outcome, as the table `packages` has it."""
        if self.interrupted:
            return "interrupted"
        if self.error is not None:
            return "failed"
        counts = self.counts
        lacks = self.missing or counts.quarantined or counts.files_missing or counts.files_failed
        return "partial" if lacks else "done"


@dataclass(slots=True)
class ImportReport:
    """The result of an import."""

    started_at: str
    finished_at: str = ""
    dry_run: bool = False
    packages: list[PackageReport] = field(default_factory=list)

    @property
    def outcome(self) -> ImportOutcome:
        """The outcome as a whole."""
        found = {package.outcome for package in self.packages}
        if "interrupted" in found:
            return "interrupted"
        if found == {"failed"}:
            return "failed"
        return "partial" if found - {"done"} else "done"

    @property
    def exit_code(self) -> int:
        """The exit code, as docs/commands.md explains it."""
        errors = {each.error.exit_code for each in self.packages if each.error is not None}
        if self.outcome == "failed" and len(errors) == 1:
            return errors.pop()
        return {"done": 0, "interrupted": 130}.get(self.outcome, 3)

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "dry_run": self.dry_run,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "packages": [_package_json(package) for package in self.packages],
        }


def _package_json(package: PackageReport) -> dict[str, Any]:
    error = package.error
    return {
        "parts": [
            {"name": name, "sha256": digest}
            for name, digest in zip(package.names, package.hashes, strict=False)
        ],
        "platform": package.platform,
        "account": package.account,
        "layout": package.layout,
        "exported_at": package.exported_at,
        "outcome": package.outcome,
        **package.counts.as_json(),
        "missing": list(package.missing),
        "not_read": list(package.not_read),
        "unmapped_paths": package.unmapped_paths,
        "failures": package.failures,
        "imported_before": package.imported_before,
        "error": None if error is None else {"code": error.code, "what": str(error)},
    }
