"""The progress and the report of a run, for people and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from archiver.archive.changes import Change, ChangeCount
from archiver.archive.runs import Counts
from archiver.errors import ArchiverError, DuplicateAccount
from archiver.secrets import redact

_MOST_PATHS = 100
_LONGEST_PATH = 200  # characters: the platform decides how long a path is

Outcome = Literal["done", "fresh", "away", "partial", "failed", "interrupted"]


class Progress(Protocol):
    """Receives the progress of a run."""

    def scanning(self, account: str, page: int, posts: int) -> None:
        """A page of an account's history is requested; its scans have shown so many posts so far.

        Pages count from 1; none of the posts is counted twice.
        """

    def scanned(self, account: str, posts: int) -> None:
        """The scan of an account is over; it has shown so many posts."""

    def files(self, waiting: int, done: int, *, is_all: bool) -> None:
        """Files are still waiting, and others done.

        `is_all` says that no more will come: everything is scanned.
        """

    def received(self, count: int) -> None:
        """Bytes of media were received since the last call."""

    def note(self, text: str) -> None:
        """A message to show at once."""


class NoProgress:
    """A Progress that shows nothing."""

    def scanning(self, account: str, page: int, posts: int) -> None:
        """Nothing."""

    def scanned(self, account: str, posts: int) -> None:
        """Nothing."""

    def files(self, waiting: int, done: int, *, is_all: bool) -> None:
        """Nothing."""

    def received(self, count: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


@dataclass(slots=True)
class AccountReport:
    """The result of one account through one source.

    `away` is the error code of an account that is still suspended, moved or deactivated. `warnings`
    say what could not be fetched, and make the outcome partial; `notes` do not. `standing` is what
    holds from run to run, and is a note of the first one only. Text of a plugin
    may quote a key: all of it is redacted here, before it is shown.
    """

    name: str
    platform: str
    source: str
    outcome: Outcome = "done"
    counts: Counts = field(default_factory=Counts)
    missing: int = 0
    restored: int = 0
    unmapped: int = 0
    unmapped_paths: list[str] = field(default_factory=list)
    full: bool = False
    complete: bool = False
    error: ArchiverError | None = None
    away: str | None = None
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    standing: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Add a warning about what could not be fetched, and make the outcome partial."""
        text = redact(text)
        if text not in self.warnings:
            self.warnings.append(text)
        if self.outcome == "done":
            self.outcome = "partial"

    def note(self, text: str) -> None:
        """Add a note, once."""
        text = redact(text)
        if text not in self.notes:
            self.notes.append(text)

    def note_once(self, text: str, told_before: str | None) -> None:
        """Add a note about what holds from run to run, unless the last run told it."""
        text = redact(text)
        if text in self.standing:
            return
        self.standing.append(text)
        if text not in (told_before or ""):
            self.note(text)

    def add_unmapped(self, paths: Sequence[str], records: int = 1) -> None:
        """Count the unmapped fields of so many records alike, and keep their paths, each once."""
        self.unmapped += len(paths) * records
        for path in paths:
            short = path[:_LONGEST_PATH]
            if short not in self.unmapped_paths and len(self.unmapped_paths) < _MOST_PATHS:
                self.unmapped_paths.append(short)

    def fail(self, error: ArchiverError) -> None:
        """Save the error that ended the backup of this account."""
        self.error = _redacted_error(error)
        self.outcome = "failed"


@dataclass(frozen=True, slots=True)
class FileFailure:
    """Some files of one account that could not be fetched, all for one reason."""

    account: str
    state: str
    reason: str
    count: int


@dataclass(slots=True)
class RunReport:
    """The result of a run.

    `received` is in bytes of media; `notes` are about no single account. `changes` are the first of
    each kind, `change_counts` are of all. `is_first`: the archive had no posts before.
    `clock_is_wrong`: this machine's clock differs from a source's, or from an earlier run.
    `out_of_time`: files were left for a later run because the time for this one was over;
    `out_of_room`: because the disk has no more room for files.
    """

    started_at: str
    finished_at: str = ""
    accounts: list[AccountReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changes: Sequence[Change] = ()
    change_counts: Sequence[ChangeCount] = ()
    file_failures: Sequence[FileFailure] = ()
    received: int = 0
    waiting: int = 0
    interrupted: bool = False
    dry_run: bool = False
    is_first: bool = False
    clock_is_wrong: bool = False
    out_of_time: bool = False
    out_of_room: bool = False

    def label_of(self, account: AccountReport) -> str:
        """The label of an account, with its source where it is read through several."""
        is_alone = sum(other.name == account.name for other in self.accounts) == 1
        return account.name if is_alone else f"{account.name} ({account.source})"

    @property
    def counts(self) -> Counts:
        """The sums over all accounts."""
        return sum((account.counts for account in self.accounts), Counts())

    @property
    def outcome(self) -> Outcome:
        """The outcome of the run as a whole."""
        if self.interrupted:
            return "interrupted"
        return {0: "done", 3: "partial"}.get(self.exit_code, "failed")  # type: ignore[return-value]  # the three words are of the type

    @property
    def exit_code(self) -> int:
        """The exit code, as the table in docs/commands.md explains it."""
        if self.interrupted:
            return 130
        tried = [each for each in self.accounts if each.outcome not in {"fresh", "away"}]
        if any(isinstance(account.error, DuplicateAccount) for account in tried):
            return DuplicateAccount.exit_code  # the config is wrong, whatever else went well
        failed = {account.error.exit_code for account in tried if account.error is not None}
        if len(failed) == 1 and all(account.error is not None for account in tried):
            return failed.pop()
        is_short = (
            failed
            or self.out_of_room
            or self.counts.failed
            or any(a.outcome == "partial" for a in tried)
        )
        return 3 if is_short else 0

    def as_json(self) -> dict[str, Any]:
        """The report for programs: plain values, names as in the tables."""
        return {
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "dry_run": self.dry_run,
            "out_of_time": self.out_of_time,
            "out_of_room": self.out_of_room,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            **self.counts.columns(),
            "missing": sum(account.missing for account in self.accounts),
            "restored": sum(account.restored for account in self.accounts),
            "bytes": self.received,
            "waiting": self.waiting,
            "notes": self.notes,
            "accounts": [_account_json(account) for account in self.accounts],
            "is_first": self.is_first,
            "changes": [change._asdict() for change in self.changes],
            "change_counts": [
                count._asdict() | {"is_first_run": bool(count.is_first_run)}
                for count in self.change_counts
            ],
            "file_failures": [
                {name: getattr(failure, name) for name in FileFailure.__slots__}
                for failure in self.file_failures
            ],
        }


def _redacted_error(error: ArchiverError) -> ArchiverError:
    """The error with redacted text, as one of our classes: a plugin's may format itself."""
    classes = (cls for cls in type(error).__mro__ if issubclass(cls, ArchiverError))
    ours = next(cls for cls in classes if cls.__module__ == ArchiverError.__module__)
    redacted = ours.__new__(ours)
    parts = {name: getattr(error, name, None) for name in ("why", "kept", "hint", "code")}
    ArchiverError.__init__(
        redacted,
        redact(str(getattr(error, "what", None) or type(error).__name__)),
        **{name: None if part is None else redact(str(part)) for name, part in parts.items()},
    )
    return redacted


def _account_json(account: AccountReport) -> dict[str, Any]:
    error = account.error
    return {
        "name": account.name,
        "platform": account.platform,
        "source": account.source,
        "outcome": account.outcome,
        **account.counts.columns(),
        "missing": account.missing,
        "restored": account.restored,
        "unmapped_fields": account.unmapped,
        "unmapped_paths": account.unmapped_paths,
        "full": account.full,
        "complete": account.complete,
        "error": None if error is None else {
            "code": error.code, "what": error.what, "why": error.why, "hint": error.hint,
        },
        "warnings": account.warnings,
        "notes": account.notes,
    }  # fmt: skip
