"""The options of a run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """The options of `archiver backup`. `since` is a time as the archive writes it.

    `due`: full scans are spread over `full_every`. Of the accounts in `files_only` nothing but
    files is fetched. With `minutes`, all accounts are scanned before any file is fetched, and no
    file is begun so many minutes after the run.
    """

    names: tuple[str, ...] = ()
    full: bool = False
    now: bool = False
    since: str | None = None
    limit: int | None = None
    media: bool = True
    dry_run: bool = False
    due: bool = False
    files_only: tuple[str, ...] = ()
    minutes: float | None = None
