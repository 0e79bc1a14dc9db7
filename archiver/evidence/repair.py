"""`verify --repair`: what can be put right without making anything up.

A damaged file goes to `quarantine/`, never away, and the next backup fetches it again; its row
keeps the hash, so that only the same bytes heal it. A damaged row is put back where its own hash
proves what it was. Indexes, triggers and views are made anew; those triggers on our tables that
are none of ours are taken away. All else is for a copy of the archive.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archiver.archive.database import transaction, writer
from archiver.archive.losses import lose
from archiver.evidence.findings import Finding, Verified
from archiver.evidence.mend import mend
from archiver.evidence.rows import tolerate
from archiver.evidence.schema import check_schema, mend_schema
from archiver.media.store import Store

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

    A database whose pages are damaged is not written to; nor, but for the schema itself, one whose
    schema is not all right afterwards.
    """
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
    for finding in found.findings:
        if finding.what in {"missing_file", "changed_file"}:
            if finding.what == "changed_file":
                store.quarantine(finding.subject)
            with transaction(connection):
                repaired.queued += lose(connection, Path(finding.subject).stem, now)
