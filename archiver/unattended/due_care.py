"""Which care of an archive is due; apart from the care, since each run asks and few have to act."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from archiver.archive.database import reader
from archiver.config import Config
from archiver.errors import StorageError
from archiver.human import parse_time
from archiver.settings import CareSettings
from archiver.unattended.care_log import CareEntry, CareKind, newest_care

_DAY = timedelta(days=1)
_SLACK = 48  # as a call is never exactly on time: half an hour of a day


def due_care(settings: CareSettings, log: Sequence[CareEntry], now: datetime) -> list[CareKind]:
    """The parts that are wanted, and were not done for long enough.

    What failed is tried again a day later.
    """
    target = str(settings.copy_to)
    wanted: list[tuple[CareKind, timedelta, bool]] = [
        ("verify", _DAY, bool(settings.verify)),
        ("copy", settings.copy_every, settings.copy_to is not None),
        ("thumbnails", _DAY, bool(settings.thumbnails)),
    ]
    due: list[CareKind] = []
    for what, every, is_wanted in wanted:
        entries = [entry for entry in log if entry.what == what and entry.target in {None, target}]
        waits = (
            _is_within(entry, min(every, _DAY) if entry.outcome == "failed" else every, now)
            for entry in entries
        )
        if is_wanted and not any(waits):
            due.append(what)
    return due


def care_due_in(config: Config, now: datetime) -> list[CareKind]:
    """What is due in the archive of the config; nothing where it cannot be read."""
    try:
        with reader(config.archive.directory) as connection:
            return due_care(config.care, newest_care(connection), now)
    except StorageError:
        return []


def _is_within(entry: CareEntry, every: timedelta, now: datetime) -> bool:
    """Whether an entry is not yet as old as that; one in the future is of a wrong clock."""
    finished = parse_time(entry.finished_at)
    return finished is not None and timedelta() <= now - finished < every - every / _SLACK
