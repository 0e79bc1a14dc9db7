"""The options of a run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """The options of `archiver backup`. `since` is a time as the archive writes it."""

    names: tuple[str, ...] = ()
    full: bool = False
    now: bool = False
    since: str | None = None
    limit: int | None = None
    media: bool = True
    dry_run: bool = False
