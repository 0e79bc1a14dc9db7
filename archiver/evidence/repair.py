"""`verify --repair`: what can be put right without making anything up.

A damaged file goes to `quarantine/`, never away, and the next backup fetches it again; its row
keeps the hash, so that only the same bytes heal it. A damaged row is put back where its own hash
proves what it was. Indexes, triggers and views are made anew; those triggers on our tables that
are none of ours are taken away. All else is for a copy of the archive.
"""

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archiver.archive.database import transaction, writer
from archiver.archive.losses import lose
from archiver.errors import StorageError
from archiver.evidence.files import MediaRow, check_file, rows_of
from archiver.evidence.findings import Finding, Verified
from archiver.evidence.mend import mend
from archiver.evidence.rows import is_sound, read_row, tolerate
from archiver.evidence.schema import check_schema, mend_schema
from archiver.media.store import Store

_OF_FILES = {"missing_file", "changed_file"}
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch
_OF_AN_INDEX = ("missing from index", "wrong # of entries in index", "non-unique entry in index")


@dataclass(slots=True)
class Repaired:
    """What was put right, by number: renditions to be fetched again, rows and indexes mended.

    `schema` counts the indexes, triggers and views that were made anew or taken away.
    """

    queued: int = 0
    rows: int = 0
    indexes: int = 0
    schema: int = 0

    def __bool__(self) -> bool:
        return bool(self.queued or self.rows or self.indexes or self.schema)


def repair(directory: Path, found: Verified, now: str) -> Repaired:
    """Put right what can be. Raises StorageError, ArchiveLocked.

    Where the whole folder of media is not there, nothing is queued: StorageError says so.

    A database whose pages are damaged is not written to; nor, but for the schema itself, one whose
    schema is not all right afterwards.
    """
    _refuse_without_media(directory, found)
    repaired = Repaired()
    if not found.damage or not _may_be_written(found.findings):
        return repaired
    with writer(directory, create=False, any_trigger=True) as connection:
        repaired.schema = mend_schema(connection)
        if any(finding.is_damage for finding in check_schema(connection)):
            return repaired
        tolerate(connection)
        _mend_indexes(connection, found, repaired)
        _mend_rows(connection, found, now, repaired)
        _queue(connection, Store(directory), found, now, repaired)
    return repaired


def _may_be_written(findings: Iterable[Finding]) -> bool:
    return all(
        any(words in finding.detail for words in _OF_AN_INDEX)
        for finding in findings
        if finding.what == "database"
    )


def _mend_indexes(connection: sqlite3.Connection, found: Verified, repaired: Repaired) -> None:
    if not found.database_is_sound:
        with transaction(connection):
            connection.execute("REINDEX")
        repaired.indexes += 1


def _mend_rows(
    connection: sqlite3.Connection, found: Verified, now: str, repaired: Repaired
) -> None:
    touched = repaired.schema > 0  # a trigger that was gone has kept nothing up to date
    for bad in found.bad_rows:
        with transaction(connection):
            if mend(connection, bad, now):
                repaired.rows += 1
                touched |= bad.table == "posts"
    if touched or any(finding.what == "search_index" for finding in found.findings):
        with transaction(connection):
            connection.execute("INSERT INTO posts_fts (posts_fts) VALUES ('rebuild')")
        repaired.indexes += 1


def _queue(
    connection: sqlite3.Connection, store: Store, found: Verified, now: str, repaired: Repaired
) -> None:
    for row in _doubtful(connection, found):
        finding = check_file(store, row)
        if finding is not None and finding.what in _OF_FILES:
            if finding.what == "changed_file":
                store.quarantine(row.path)
            with transaction(connection):
                repaired.queued += lose(connection, row.sha256, now)


def _doubtful(connection: sqlite3.Connection, found: Verified) -> list[MediaRow]:
    """The files to be looked at once more: it may have been their row that was damaged.

    Where the row still is, nobody knows which file it means.
    """
    names = {Path(f.subject).stem for f in found.findings if f.what in _OF_FILES}
    names |= {str(bad.key[0]) for bad in found.bad_rows if bad.table == "media"}
    return [
        row
        for row in rows_of(connection, (bytes.fromhex(n) for n in sorted(names) if _SHA256(n)))
        if (whole := read_row(connection, "media", (row.sha256,))) and is_sound("media", whole)
    ]


def _refuse_without_media(directory: Path, found: Verified) -> None:
    """A folder of media that is not there is a disk that is not there, more often than not."""
    media = directory / "media"
    is_there = media.is_dir() and any(media.iterdir())
    if not is_there and any(finding.what == "missing_file" for finding in found.findings):
        raise StorageError(
            f"{media} is not there, or empty: not one file can be read",
            why="Is its disk mounted, or was the folder moved?",
            kept="Nothing was changed",
            hint=f"Put it in place and run this again. If it is gone for good, make {media / '00'} "
            "first; then all files are queued",
            code="no_media",
        )
