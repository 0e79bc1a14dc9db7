"""Verifies an archive: every file against the hash in its name, every row against its own hash.

Damage is reported only when a second reading finds it too. Reading needs no lock, and works while
a backup runs and on a read-only disk; only the dates of intact files are written, when the lock is
free.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

from archiver.archive.database import DATABASE, reader, transaction, writer
from archiver.archive.extracts import read_extract_note
from archiver.archive.intact import accept_invalid_text
from archiver.archive.losses import mark_found_intact
from archiver.archive.rows import update
from archiver.errors import ArchiveLocked, DamageFound, StorageError
from archiver.evidence.database import check_database
from archiver.evidence.files import FileReading, Scope, files_in, leftovers, rows_of
from archiver.evidence.findings import Finding, Verified
from archiver.evidence.known_heads import KnownHead, check_known_heads
from archiver.evidence.proofs import NO_PROVERS, Provers, check_proofs
from archiver.evidence.standalone import MANIFEST, PROOFS
from archiver.media.folder_store import FolderStore
from archiver.media.store import MediaStore

NEW_DATABASE = ".archive.db.new"
"""The name of a copy's new database. Where it is the only one, the copy was never finished."""

_writer = partial(writer, create=False, busy_ms=1_000)
"""A writer for optional work: it waits only a second for another writer."""

OpenWriter = Callable[[Path], AbstractContextManager[sqlite3.Connection]]
_DATES_AT_ONCE = 5_000
_DAMAGE_CODES = {"damaged", "not_an_archive"}
_PRIMARY = 0xFF  # the primary result code, without the extended part
_INDEX_ERRORS = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR}
"""SQLite's codes for a search index that is wrong or missing; others are errors of the disk."""


def verify(
    directory: Path, scope: Scope, now: str, *, store: MediaStore | None = None,
    provers: Provers = NO_PROVERS, known: Sequence[KnownHead] = (),
    on_total: Callable[[int], object] = int, on_file: Callable[[int], object] = int,
    open_writer: OpenWriter = _writer,
) -> Verified:  # fmt: skip
    """Verify the rows and files in `scope`; `store` has the files, if they are not in the folder.

    `provers` check what sources signed; `known` are checkpoints that were kept elsewhere.
    `on_total` is called with the bytes to read in all, `on_file` with the size of every file read.
    `now` is saved as the `verified_at` of intact files; `open_writer` opens the archive for that.
    Raises DamageFound where the database cannot be opened at all, StorageError where there is none
    or the disk does not let us read it.
    """
    part = scope.slice
    result = Verified(is_slice=not part.is_whole)
    store = store or FolderStore(directory)
    with open_archive(directory) as connection, FileReading(store) as reading:
        _note_extract(connection, result)
        names = _begin_reading(connection, scope, now, reading)
        check_database(connection, directory / DATABASE, partial(reader, directory), result, part)
        accept_invalid_text(connection)
        with _report_unreadable(result):
            check_proofs(connection, provers, result, part)
            result.findings += check_known_heads(connection, known, part)
            dates = VerificationDates(partial(open_writer, directory), now, result)
            if names is None:
                names = files_in(connection, scope, now)
                reading.begin(rows_of(connection, names), seconds=scope.seconds)
            on_total(_bytes_in(connection, scope, names))
            _take_results(reading, result, dates, on_file)
            result.findings += leftovers(connection, store, directory, scope.files)
            result.left = max(0, _number_of_files(connection, scope) - result.files)
    if result.may_be_written and part.has("search index"):
        result.findings += _check_search(partial(open_writer, directory))
    return result


def _note_extract(connection: sqlite3.Connection, result: Verified) -> None:
    """Say of an extract what it is."""
    with _report_unreadable(result):
        if (note := read_extract_note(connection)) is not None:
            result.is_extract = True
            detail = f"an extract, made at {note.made_at}, of {note.chosen}"
            result.findings.append(Finding("extract", DATABASE, detail))


@contextmanager
def open_archive(directory: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection. Raises DamageFound and StorageError as `verify`.

    Only errors of opening are translated: what fails in the block may be about another archive.
    """
    _refuse_export(directory)
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(reader(directory))
        except StorageError as error:
            _refuse_unfinished_copy(directory)
            is_emptied = error.code == "no_archive" and any(FolderStore(directory).list())
            if error.code not in _DAMAGE_CODES and not is_emptied:
                raise
            raise DamageFound(
                f"The database {directory / DATABASE} is damaged and cannot be opened",
                why=error.why or error.what,
                kept="Nothing was changed; the media files are not affected",
                hint="Keep this file, and replace it with archive.db from the last archiver copy",
            ) from error
        yield connection


def _refuse_unfinished_copy(directory: Path) -> None:
    if not (directory / DATABASE).exists() and (directory / NEW_DATABASE).exists():
        raise StorageError(
            f"{directory} is an unfinished copy",
            kept="The files copied so far are kept, and not copied again",
            hint="Run archiver copy again: it resumes from there",
            code="unfinished",
        )


def _refuse_export(directory: Path) -> None:
    export = directory.parent if directory.name == PROOFS else directory
    if (export / PROOFS / DATABASE).exists() and (export / MANIFEST).exists():
        raise StorageError(
            f"{export} is an export, which has its own program to check it",
            hint=f"Run there: python3 {PROOFS}/verify.py .",
            code="export",
        )


@contextmanager
def _report_unreadable(result: Verified) -> Iterator[None]:
    """Turn an error of SQLite while files are listed into a finding."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        result.findings.append(Finding("database", "media", f"cannot be read: {error}"))


def _begin_reading(
    connection: sqlite3.Connection, scope: Scope, now: str, reading: FileReading
) -> list[bytes] | None:
    """Have the first files read while the database is checked; returns the hashes of all.

    None where nothing was begun: a time limit is for reading alone, and of a database that cannot
    say which files there are, the check reports it.
    """
    if scope.seconds is not None:
        return None
    try:
        names = files_in(connection, scope, now)
        reading.begin(rows_of(connection, names))
    except sqlite3.DatabaseError:
        return None
    return names


def _take_results(
    reading: FileReading, result: Verified, dates: "VerificationDates",
    on_file: Callable[[int], object],
) -> None:  # fmt: skip
    with dates:
        for row, finding in reading.results():
            result.files += 1
            result.size += row.size
            on_file(row.size)
            if finding is not None:
                result.findings.append(finding)
            if finding is None or finding.what == "unsteady":
                dates.add(row.sha256)


def _bytes_in(connection: sqlite3.Connection, scope: Scope, names: list[bytes]) -> int:
    query = "SELECT count(*), sum(size) FROM media WHERE sha256 BETWEEN ? AND ?"
    count, size = connection.execute(query, scope.files.hashes()).fetchone()
    return int((size or 0) * len(names) / max(1, count))


def _number_of_files(connection: sqlite3.Connection, scope: Scope) -> int:
    """How many files the archive has: counted, or for a slice as its checksums say."""
    query = "SELECT count(*) FROM media"
    if not scope.files.is_whole:
        query = "SELECT coalesce(max(rows), 0) FROM table_checksums WHERE name = 'media'"
    return int(connection.execute(query).fetchone()[0])


class VerificationDates:
    """Saves the `verified_at` of intact files in batches, whenever the lock is free.

    Nothing is written to a database that is damaged or whose schema was changed: that could make
    it worse.
    """

    def __init__(
        self, open_writer: Callable[[], AbstractContextManager[sqlite3.Connection]], now: str,
        result: Verified,
    ) -> None:  # fmt: skip
        self._open_writer = open_writer
        self._now = now
        self._result = result
        self._waiting: list[str] = []
        self._wanted = result.may_be_written

    def __enter__(self) -> "VerificationDates":
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def add(self, sha256: str) -> None:
        """Add an intact file."""
        self._waiting.append(sha256)
        if len(self._waiting) % _DATES_AT_ONCE == 0:
            self._write()

    def _write(self) -> None:
        if not (self._waiting and self._wanted):
            return
        try:
            with self._open_writer() as connection, transaction(connection):
                mark_found_intact(connection, self._waiting, self._now)
                update(
                    connection, "media", "sha256 IN (SELECT value FROM json_each(?))",
                    (json.dumps(self._waiting),), verified_at=self._now,
                )  # fmt: skip
        except ArchiveLocked:
            return  # another program writes; the next batch tries again
        except StorageError:
            self._wanted = False  # a read-only disk, or a full one: reading goes on without dates
        self._waiting.clear()


def _check_search(
    open_writer: Callable[[], AbstractContextManager[sqlite3.Connection]],
) -> Iterator[Finding]:
    """Check the search index against the posts. For that, SQLite needs a writable connection."""
    try:
        with open_writer() as connection:
            try:
                check = "INSERT INTO posts_fts (posts_fts, rank) VALUES ('integrity-check', 1)"
                connection.execute(check)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & _PRIMARY not in _INDEX_ERRORS:
                    raise
                yield Finding("search_index", "posts_fts", f"does not match the posts: {error}")
    except StorageError as error:
        yield Finding("unchecked", "posts_fts", f"the search index was not checked: {error.what}")
