"""Copying an archive to another folder, also while a backup runs; the copy is always consistent.

First a snapshot of the database is taken and every row of it read back. Then the files that it
names are copied.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from archiver.archive.database import (
    DATABASE,
    LOCK,
    SQLITE_SUFFIXES,
    archive_lock,
    reader,
    storage_errors,
)
from archiver.archive.extracts import read_extract_note
from archiver.archive.holds import holds as all_holds
from archiver.archive.holds import lasting_holds
from archiver.errors import DamageFound, StorageError, UsageError
from archiver.evidence.database import check_database
from archiver.evidence.findings import Verified
from archiver.evidence.renewal import Copied, open_immutable, renew_copy
from archiver.evidence.verify import NEW_DATABASE, open_archive
from archiver.media.disk import create_file
from archiver.media.folder_store import FolderStore
from archiver.retention.cleaning import remove_unused_files

NAMES_WITHOUT_DATABASE = {
    LOCK, "media", "tmp", "cache", "quarantine", NEW_DATABASE,
    *(name + end for name in (DATABASE, NEW_DATABASE) for end in SQLITE_SUFFIXES),
}  # fmt: skip
"""What the folder of a copy that lacks its database may contain."""
_DAMAGE_CODES = {"damaged", "not_an_archive", "no_archive"}


def copy_archive(
    source: Path, target: Path, *, older: bool = False,
    on_total: Callable[[int], object] = int, on_file: Callable[[int], object] = int,
) -> Copied:  # fmt: skip
    """Make, or bring up to date, a copy of an archive in another folder.

    `on_total` is called with the bytes to copy in all, `on_file` with the size of every file.
    Files that are there with the right name and size are not copied again; verify reads them back.
    `older` lets an older state of the archive take the place of a newer copy.
    Raises UsageError for that, and for a folder that is no place for a copy, ArchiveLocked where
    somebody writes there, DamageFound where either database cannot be opened, StorageError.
    """
    copied = Copied()
    with open_archive(source) as connection:
        _check_place(connection, source, target, older=older)
        with archive_lock(target, database=False), storage_errors(target):
            renew_copy(
                _WholeArchive(connection), FolderStore(source), target, copied,
                on_total=on_total, on_file=on_file,
            )  # fmt: skip
            if copied.done and _last_erasure(connection):
                remove_unused_files(connection, target)
    return copied


def _check_place(
    connection: sqlite3.Connection, source: Path, target: Path, *, older: bool
) -> None:
    """Refuse a target that is not a folder for this copy. Raises UsageError, StorageError."""
    here, there = source.resolve(), target.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise UsageError(
            f"One of {target} and the archive in {source} is inside the other",
            hint="Give a folder of its own, best on another disk",
        )
    if not target.exists() or not any(target.iterdir()):
        return
    if not (target / DATABASE).exists():
        if {entry.name for entry in target.iterdir()} <= NAMES_WITHOUT_DATABASE:
            return  # an interrupted first copy, or one whose damaged database was moved away
        raise UsageError(
            f"{target} is not empty, and not a copy of an archive",
            hint="Give an empty folder, or the one of an earlier copy",
        )
    with _existing_copy(target) as other:
        if archive_id(other) != archive_id(connection):
            raise UsageError(
                f"{target} holds another archive",
                kept="Nothing was written",
                hint="Give an empty folder, or the one of an earlier copy",
            )
        if read_extract_note(other) and not read_extract_note(connection):
            raise UsageError(
                f"{target} holds an extract of this archive",
                kept="Nothing was written",
                hint="Give an empty folder, or the one of an earlier copy",
            )
        if matter := _held_only_there(connection, other):
            raise UsageError(
                f"The copy in {target} is under legal hold for {matter}, and the archive is not",
                kept="Nothing was written",
                hint=f"Place the hold in {source} too, or release it in the copy",
            )
        has_erased = _last_erasure(connection) > _last_erasure(other)
        if not (older or has_erased) and (more := _newer_in_copy(connection, other)):
            raise UsageError(
                f"The copy in {target} is newer than the archive in {source}",
                why=f"{more}: an older {DATABASE} was restored, or {DATABASE}-wal was lost",
                kept="Nothing was written",
                hint=f"Restore the newer {DATABASE} with its {DATABASE}-wal, or take the copy's; "
                "archiver copy --older updates the copy all the same, and deletes what only it has",
            )


def _held_only_there(connection: sqlite3.Connection, other: sqlite3.Connection) -> str | None:
    """The matter of a hold that lasts in `other`, and that the archive never had."""
    known = {(hold.matter, hold.scope, hold.placed_at) for hold in all_holds(connection)}
    return next(
        (
            hold.matter
            for hold in lasting_holds(other)
            if (hold.matter, hold.scope, hold.placed_at) not in known
        ),
        None,
    )


def _last_erasure(connection: sqlite3.Connection) -> int:
    """The number of the last erasure whose rows are gone; 0 for none.

    After one, a copy has more rows than the archive, and files that the archive has not.
    """
    query = "SELECT coalesce(max(id), 0) FROM erasures WHERE state IN ('running', 'done')"
    found: int = connection.execute(query).fetchone()[0]
    return found


def _newer_in_copy(connection: sqlite3.Connection, other: sqlite3.Connection) -> str | None:
    """What `other` has and the archive lacks, as a sentence; None where there is nothing."""
    last_run = "SELECT id, started_at FROM runs ORDER BY id DESC LIMIT 1"
    is_known = "SELECT 1 FROM runs WHERE id = ? AND started_at = ?"
    if (run := other.execute(last_run).fetchone()) and not connection.execute(
        is_known, run
    ).fetchone():
        return f"It has run {run[0]}, which began at {run[1]}"
    here, there = _append_only_counts(connection), _append_only_counts(other)
    more = [
        f"{count:,} {table} instead of {here.get(table, 0):,}"
        for table, count in there.items()
        if count > here.get(table, 0)
    ]
    return f"It has {', '.join(more)}" if more else None


def _append_only_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """The number of rows of each append-only table, without those added by repairs."""
    query = """
        SELECT name, rows FROM table_checksums
         WHERE name NOT IN ('coverage', 'storage_totals', 'relations', 'events', 'care', 'ledger',
                            'ledger_rows', 'checkpoints')
         UNION ALL
        SELECT 'events', count(*) FROM events WHERE what NOT IN ('lost', 'recovered', 'repaired')
    """
    return dict(connection.execute(query).fetchall())


@contextmanager
def _existing_copy(target: Path) -> Iterator[sqlite3.Connection]:
    """The database of an earlier copy. Raises DamageFound where it cannot be read."""
    try:
        with reader(target) as connection:
            yield connection
    except (StorageError, sqlite3.DatabaseError) as error:
        if isinstance(error, StorageError) and error.code not in _DAMAGE_CODES:
            raise
        raise DamageFound(
            f"The copy's database {target / DATABASE} cannot be opened, or is not an archive",
            why=(error.why or error.what) if isinstance(error, StorageError) else str(error),
            kept="Nothing was written, and the files of the copy are not touched by this",
            hint=f"Move {DATABASE} out of that folder and run archiver copy again: "
            "it makes a new one, and copies only the files that are missing",
        ) from error


def archive_id(connection: sqlite3.Connection) -> str | None:
    """The random id that an archive and its copies have in common."""
    query = "SELECT value FROM about WHERE name = 'archive_id'"
    row = connection.execute(query).fetchone()
    return row[0] if row else None


class _WholeArchive:
    """All of an archive, as the content of a copy."""

    reads_back = False  # verify does

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def make(self, new: Path) -> None:
        """The current database."""
        os.close(create_file(new))
        with closing(sqlite3.connect(new, isolation_level=None)) as snapshot:
            # in one step: between steps, a commit of another program would restart it
            self._connection.backup(snapshot)
            snapshot.execute("PRAGMA journal_mode = DELETE")

    def check(self, connection: sqlite3.Connection, new: Path, copied: Copied) -> bool:
        """Check every row; if one is damaged, an earlier copy is kept, which may be intact."""
        result = Verified()
        check_database(connection, new, partial(_reopen, new), result)
        copied.rows = result.rows
        copied.damage += result.damage
        return not result.damage


def _reopen(path: Path) -> closing[sqlite3.Connection]:
    return closing(open_immutable(path))
