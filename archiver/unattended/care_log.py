"""The log of what was done to look after an archive beside backups: verify and copy."""

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from archiver.archive.database import writer
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert
from archiver.archive.transactions import transaction
from archiver.errors import StorageError

CareOutcome = Literal["done", "partial", "damaged"]

_BUSY_MS = 1_000  # how long to wait for another program that writes to the database


@dataclass(frozen=True, slots=True)
class CareEntry:
    """One verify or copy, as in the table `care`; `bytes` is the size of the files."""

    what: Literal["verify", "copy"]
    finished_at: str
    outcome: CareOutcome
    files: int = 0
    bytes: int = 0
    damaged: int = 0
    target: str | None = None


def log_care(directory: Path, entry: CareEntry) -> None:
    """Add an entry to the archive in `directory`, if it can be written to.

    Without the entry, a verify or a copy is as good: where another program holds the lock, or the
    disk is full or read-only, there is none.
    """
    with (
        suppress(StorageError),
        writer(directory, create=False, busy_ms=_BUSY_MS) as connection,
        transaction(connection),
    ):
        insert(
            connection, "care", what=entry.what, finished_at=entry.finished_at,
            outcome=entry.outcome, files=entry.files, bytes=entry.bytes, damaged=entry.damaged,
            target=entry.target,
        )  # fmt: skip


def newest_care(connection: sqlite3.Connection) -> list[CareEntry]:
    """The newest verify, and the newest copy to each folder."""
    query = """
        SELECT what, finished_at, outcome, files, bytes, damaged, target FROM care
         WHERE id IN (SELECT max(id) FROM care GROUP BY what, target) ORDER BY what DESC, id DESC
    """
    return list(objects(connection.execute(query), CareEntry))
