"""The log of what was done to look after an archive beside backups: verify, copy, thumbnails."""

import sqlite3
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from archiver.archive.attribution import attribution
from archiver.archive.database import writer
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert
from archiver.archive.transactions import transaction
from archiver.errors import StorageError

CareKind = Literal["verify", "copy", "thumbnails"]
CareOutcome = Literal["done", "partial", "damaged", "failed"]

_BUSY_MS = 1_000  # how long to wait for another program that writes to the database


@dataclass(frozen=True, slots=True)
class CareEntry:
    """One verify, copy, or making of thumbnails, as in the table `care`.

    `bytes` is the size of the files. `error_code` says why it failed.
    """

    what: CareKind
    finished_at: str
    outcome: CareOutcome
    files: int = 0
    bytes: int = 0
    damaged: int = 0
    target: str | None = None
    error_code: str | None = None


def log_care(directory: Path, entry: CareEntry, actor: str | None = None) -> None:
    """Add an entry to the archive in `directory`, if it can be written to.

    `actor` is the one of the config, if it names one.

    Without the entry, a verify or a copy is as good: where another program holds the lock, or the
    disk is full or read-only, there is none.
    """
    with (
        suppress(StorageError),
        writer(directory, create=False, busy_ms=_BUSY_MS) as connection,
    ):
        add_care(connection, entry, actor)


def add_care(connection: sqlite3.Connection, entry: CareEntry, actor: str | None = None) -> None:
    """Add an entry to an archive that is open for writing."""
    with transaction(connection):
        insert(connection, "care", **asdict(entry), **attribution(connection, actor))


def newest_care(connection: sqlite3.Connection) -> list[CareEntry]:
    """The newest verify, the newest copy to each folder, and the newest thumbnails.

    Of each the last that did not fail, and behind it the failure that came after it, if any.
    """
    query = """
        SELECT what, finished_at, outcome, files, bytes, damaged, target, error_code FROM care
         WHERE id IN (SELECT max(id) FROM care GROUP BY what, target
                       UNION
                      SELECT max(id) FROM care WHERE outcome <> 'failed' GROUP BY what, target)
         ORDER BY what DESC, target, id
    """
    return list(objects(connection.execute(query), CareEntry))
