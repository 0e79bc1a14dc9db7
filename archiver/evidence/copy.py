"""A second copy of an archive that is whole at every moment, while backups go on.

The database is taken as it stands at one instant. Then the files that this state names are copied,
hashed on the way, and read back; last of all the new database takes the place of the old one. So
a copy that is broken off is still the copy that it was, with some files more.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from archiver.archive.database import DATABASE, LOCK, LOGS, locked, reader, storage_errors
from archiver.disks import replace_file, sync_directory
from archiver.errors import DamageFound, StorageError, UsageError
from archiver.evidence.database import check_database
from archiver.evidence.files import MediaRow, Scope, check_file, files_in, rows_of
from archiver.evidence.findings import Finding, Verified
from archiver.evidence.verify import NEW, opened
from archiver.media.disk import PIECE, create_file, sync_file
from archiver.media.download import Download
from archiver.media.folder_store import FolderStore
from archiver.media.store import MediaStore
from archiver.media.temp_file import TempFile

_FILES_AT_ONCE = 64
_WITHOUT_DATABASE = {
    LOCK, "media", "tmp", "cache", "quarantine", NEW,
    *(name + end for name in (DATABASE, NEW) for end in LOGS),
}  # fmt: skip
"""What may lie in a folder that is a copy's, but for its database."""
_DAMAGED = {"damaged", "not_an_archive", "no_archive"}


@dataclass(slots=True)
class Copied:
    """What a copy brought: files copied, their bytes, files that were there, rows in all.

    `damage` is what is damaged in the source, `unreadable` are files of it that the system did not
    let us read. `done` says that the copy stands for the archive as it was when this began, but for
    those; where rows are damaged it is not, and an earlier copy stays as it was.
    """

    files: int = 0
    size: int = 0
    there: int = 0
    rows: int = 0
    done: bool = False
    damage: list[Finding] = field(default_factory=list)
    unreadable: list[Finding] = field(default_factory=list)


def copy_archive(
    source: Path, target: Path, *, older: bool = False,
    on_total: Callable[[int], object] = int, on_file: Callable[[int], object] = int,
) -> Copied:  # fmt: skip
    """Make, or bring up to date, a copy of an archive in another folder.

    `on_total` is told how many bytes there are to copy, `on_file` of every file's size. Files of
    the right name and size that are there are taken as copied before; reading them back is what
    verify does. `older` lets an older state of the archive take the place of a newer copy.
    Raises UsageError for that, and for a folder that is no place for a copy, ArchiveLocked where
    somebody writes there, DamageFound where either database cannot be opened, StorageError.
    """
    copied = Copied()
    with opened(source) as connection:
        _check_place(connection, source, target, older=older)
        with locked(target, database=False), storage_errors(target):
            _copy_into(connection, source, target, copied, on_total, on_file)
    return copied


def _check_place(
    connection: sqlite3.Connection, source: Path, target: Path, *, older: bool
) -> None:
    """Refuse what would end in a mess. Raises UsageError, StorageError."""
    here, there = source.resolve(), target.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise UsageError(
            f"{target} and the archive in {source} lie within each other",
            hint="Give a folder of its own, best on another disk",
        )
    if not target.exists() or not any(target.iterdir()):
        return
    if not (target / DATABASE).exists():
        if {entry.name for entry in target.iterdir()} <= _WITHOUT_DATABASE:
            return  # a first copy that was broken off, or one whose damaged database was moved away
        raise UsageError(
            f"{target} is not empty, and not a copy of an archive",
            hint="Give an empty folder, or the one of an earlier copy",
        )
    with _copy_in(target) as other:
        if archive_id(other) != archive_id(connection):
            raise UsageError(
                f"{target} holds another archive",
                kept="Nothing was written",
                hint="Give an empty folder, or the one of an earlier copy",
            )
        if not older and (more := _only_there(connection, other)):
            raise UsageError(
                f"The copy in {target} is newer than the archive in {source}",
                why=f"{more}: an old state was put back, or {DATABASE}-wal was lost",
                kept="Nothing was written",
                hint=f"Put the newer {DATABASE} back with its {DATABASE}-wal, or take the copy's; "
                "archiver copy --older renews the copy all the same, without what only it has",
            )


def _only_there(connection: sqlite3.Connection, other: sqlite3.Connection) -> str | None:
    """What another state of an archive has more of what only ever grows; None if nothing."""
    last_run = "SELECT id, started_at FROM runs ORDER BY id DESC LIMIT 1"
    is_known = "SELECT 1 FROM runs WHERE id = ? AND started_at = ?"
    if (run := other.execute(last_run).fetchone()) and not connection.execute(
        is_known, run
    ).fetchone():
        return f"It has run {run[0]}, which began at {run[1]}"
    here, there = _grown(connection), _grown(other)
    more = [
        f"{count:,} {table} instead of {here.get(table, 0):,}"
        for table, count in there.items()
        if count > here.get(table, 0)
    ]
    return f"It has {', '.join(more)}" if more else None


def _grown(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has that only ever grows by backups; a copy may be repaired too."""
    query = """
        SELECT name, rows FROM tallies
         WHERE name NOT IN ('coverage', 'holdings', 'relations', 'events')
         UNION ALL
        SELECT 'events', count(*) FROM events WHERE what NOT IN ('lost', 'healed', 'mended')
    """
    return dict(connection.execute(query).fetchall())


@contextmanager
def _copy_in(target: Path) -> Iterator[sqlite3.Connection]:
    """The database of an earlier copy. Raises DamageFound where it is none any more."""
    try:
        with reader(target) as connection:
            yield connection
    except (StorageError, sqlite3.DatabaseError) as error:
        if isinstance(error, StorageError) and error.code not in _DAMAGED:
            raise
        raise DamageFound(
            f"The copy's database {target / DATABASE} is damaged as a whole, or no archive's",
            why=(error.why or error.what) if isinstance(error, StorageError) else str(error),
            kept="Nothing was written, and the files of the copy are not touched by this",
            hint=f"Move {DATABASE} out of that folder and run archiver copy again: "
            "it makes a new one, and copies only the files that are not there",
        ) from error


def archive_id(connection: sqlite3.Connection) -> str | None:
    """What tells an archive, and its copies, from every other."""
    query = "SELECT value FROM about WHERE name = 'archive_id'"
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def _copy_into(
    connection: sqlite3.Connection, source: Path, target: Path, copied: Copied,
    on_total: Callable[[int], object], on_file: Callable[[int], object],
) -> None:  # fmt: skip
    new = target / NEW
    try:
        _snapshot(connection, new)
        with closing(_open(new)) as snapshot:
            result = Verified()
            check_database(snapshot, new, partial(_reopen, new), result)
            copied.rows = result.rows
            copied.damage += result.damage
            if result.damage:  # an earlier copy may be better, and is left as it is
                return
            missing = _missing(snapshot, FolderStore(target), copied)
            on_total(sum(row.size for row in missing))
            _copy_files(FolderStore(source), FolderStore(target), missing, copied, on_file)
        _put_in_place(new, target)
        copied.done = True
    finally:
        _clear(new, keep_name=not (target / DATABASE).exists())


def _clear(new: Path, *, keep_name: bool = False) -> None:
    """Remove a new database; of a first copy the name may stay, to tell that it was broken off."""
    for path in _logs(new):
        path.unlink(missing_ok=True)
    if keep_name and new.exists():
        os.truncate(new, 0)
    else:
        new.unlink(missing_ok=True)


def _snapshot(connection: sqlite3.Connection, new: Path) -> None:
    """The database as it stands now, in one file that needs no log, on the disk."""
    _clear(new)
    os.close(create_file(new))
    with closing(sqlite3.connect(new, isolation_level=None)) as snapshot:
        connection.backup(
            snapshot
        )  # all of it in one step: a busy writer cannot make it begin again
        snapshot.execute("PRAGMA journal_mode = DELETE")
    sync_file(new)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _reopen(path: Path) -> closing[sqlite3.Connection]:
    return closing(_open(path))


def _missing(snapshot: sqlite3.Connection, target: MediaStore, copied: Copied) -> list[MediaRow]:
    """The files that the copy has not: those known as lost cannot be copied."""
    missing = []
    for row in rows_of(snapshot, files_in(snapshot, Scope())):
        if row.lost_at is None and not _is_there(target, row):
            missing.append(row)
        elif row.lost_at is None:
            copied.there += 1
    return missing


def _is_there(target: MediaStore, row: MediaRow) -> bool:
    found = target.stat(row.path)
    return found is not None and found.size == row.size


def _copy_files(
    source: MediaStore, target: FolderStore, rows: list[MediaRow], copied: Copied,
    on_file: Callable[[int], object],
) -> None:  # fmt: skip
    target.prepare()
    waiting = iter(rows)
    while some := list(islice(waiting, _FILES_AT_ONCE)):
        downloads = [found for row in some if (found := _fetch(source, target, row, copied))]
        target.put(downloads)
        for row in some:
            on_file(row.size)
        names = {download.sha256 for download in downloads}
        for row in some:
            if row.sha256 in names and (wrong := check_file(target, row)) is not None:
                raise StorageError(
                    f"{target.directory / row.path} cannot be read back as it was written",
                    why=wrong.detail,
                    kept="The earlier copy is as it was",
                    hint="Check that disk before you trust it",
                )


def bring(source: MediaStore, tmp: Path, row: MediaRow) -> Download | None:
    """One file, copied into the folder `tmp` and hashed on the way; None where it is damaged.

    Raises StorageError.
    """
    for _ in range(2):  # what is read wrong once may be right the second time
        with TempFile(tmp) as part:
            if _pour(source, row.path, part) and part.finish() == row.sha256:
                part.keep()
                extension = row.path.rpartition(".")[2]
                return Download(part.path, row.sha256, part.size, "", extension)
    return None


def _fetch(
    source: MediaStore, target: FolderStore, row: MediaRow, copied: Copied
) -> Download | None:
    if (download := bring(source, target.tmp, row)) is not None:
        copied.files += 1
        copied.size += download.size
        return download
    wrong = check_file(source, row)
    wrong = wrong or Finding("changed_file", row.path, "read wrong twice of four times")
    (copied.unreadable if wrong.what == "unreadable" else copied.damage).append(wrong)
    return None


def _pour(source: MediaStore, path: str, part: TempFile) -> bool:
    """Copy a file; False where it cannot be read to its end."""
    try:
        with source.open(path) as file:
            while data := file.read(PIECE):
                part.write(data)
    except OSError:
        return False
    return True


def _put_in_place(new: Path, target: Path) -> None:
    """The new database instead of the old one, whose log must not be taken for the new one's."""
    old = target / DATABASE
    if old.exists():
        with closing(sqlite3.connect(old, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    for path in _logs(old):
        path.unlink(missing_ok=True)
    sync_directory(target)  # or a power cut could bring the old log back beside the new database
    replace_file(new, old)
    sync_directory(target)


def _logs(path: Path) -> Iterator[Path]:
    return (path.with_name(path.name + end) for end in LOGS)
