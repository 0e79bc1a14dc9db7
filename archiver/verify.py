"""Reading the archive back: every file against its name, every row against its own hash.

Damage is declared only after a second reading agrees. Nothing is changed here but by `repair`.
"""

import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Literal

from archiver.archive.database import transaction
from archiver.archive.losses import heal_found, lose
from archiver.archive.rows import update
from archiver.archive.schema import ROW_HASHED
from archiver.canonical import row_sha256
from archiver.errors import StorageError
from archiver.media.store import Store, hash_file

_FILES_AT_ONCE = 256
_WITH_FILES = "('image', 'video', 'gif', 'audio')"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was stored, or that nobody refers to.

    `what` is a short word: missing_file, changed_file, changed_row, reference, database, leftover.
    `subject` names the file or row. Only leftovers are harmless.
    """

    what: Literal[
        "missing_file", "changed_file", "changed_row", "reference", "database", "leftover"
    ]
    subject: str
    detail: str

    @property
    def is_damage(self) -> bool:
        """Whether something that was stored is lost or altered."""
        return self.what != "leftover"


@dataclass(slots=True)
class Verified:
    """What was read, and what was found. `size` is in bytes."""

    files: int = 0
    size: int = 0
    rows: int = 0
    findings: list[Finding] = field(default_factory=list)
    sound: list[str] = field(default_factory=list)

    @property
    def damage(self) -> list[Finding]:
        """The findings that are not harmless."""
        return [finding for finding in self.findings if finding.is_damage]


@dataclass(frozen=True, slots=True)
class _MediaRow:
    sha256: str
    path: str
    size: int


def verify(
    connection: sqlite3.Connection, directory: Path, *, on_file: Callable[[int], object] = int
) -> Verified:
    """Read everything back. `on_file` is told the size of every file that was read.

    Needs only a reading connection. Raises StorageError when the media folder cannot be read.
    """
    result = Verified()
    result.findings += _database(connection)
    result.findings += _references(connection)
    _rows(connection, result)
    store = Store(directory)
    _files(connection, store, result, on_file)
    result.findings += _leftovers(connection, store)
    return result


def _database(connection: sqlite3.Connection) -> Iterator[Finding]:
    for (message,) in connection.execute("PRAGMA integrity_check"):
        if message != "ok":
            yield Finding("database", "archive.db", message)
    for table, row_id, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield Finding("reference", f"{table} {row_id}", f"refers to a row of {parent} that is gone")


def _references(connection: sqlite3.Connection) -> Iterator[Finding]:
    """What foreign keys cannot say."""
    rules = {
        "says stored, but names no file": """
            SELECT 'renditions', id FROM renditions
             WHERE state = 'stored' AND media_sha256 IS NULL""",
        "has nothing that says where its file is": f"""
            SELECT 'attachments', id FROM attachments WHERE kind IN {_WITH_FILES}
               AND NOT EXISTS (SELECT 1 FROM renditions WHERE attachment_id = attachments.id)""",
        "has content, but no revision of it": """
            SELECT 'posts', post_id FROM sightings WHERE content_sha256 IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM revisions WHERE post_id = sightings.post_id)""",
        "has no bookkeeping": """
            SELECT 'posts', id FROM posts
             WHERE NOT EXISTS (SELECT 1 FROM sightings WHERE post_id = posts.id)""",
    }
    for detail, query in rules.items():
        for table, row_id in connection.execute(query):
            yield Finding("reference", f"{table} {row_id}", detail)


def _rows(connection: sqlite3.Connection, result: Verified) -> None:
    for table in ROW_HASHED:
        cursor = connection.execute(f"SELECT * FROM {table}")
        columns = [description[0] for description in cursor.description]
        for values in cursor:
            result.rows += 1
            row = dict(zip(columns, values, strict=True))
            if row_sha256(table, row) != row["row_sha256"]:
                detail = "its columns are not those that were written"
                result.findings.append(Finding("changed_row", f"{table} {values[0]}", detail))
    for row_id, expected, body in connection.execute("SELECT id, body_sha256, body FROM responses"):
        result.rows += 1
        if _sha256_unzipped(body) != expected:
            detail = "its body is not the one that was received"
            result.findings.append(Finding("changed_row", f"responses {row_id}", detail))
    for row_id, expected, raw in connection.execute("SELECT id, raw_sha256, raw FROM quarantine"):
        result.rows += 1
        if sha256(raw.encode()).hexdigest() != expected:
            detail = "its record is not the one that was received"
            result.findings.append(Finding("changed_row", f"quarantine {row_id}", detail))


def _sha256_unzipped(body: bytes) -> str | None:
    try:
        return sha256(zlib.decompress(body)).hexdigest()
    except zlib.error:
        return None


def _files(
    connection: sqlite3.Connection, store: Store, result: Verified, on_file: Callable[[int], object]
) -> None:
    """Hash every file, on all cores."""
    rows = (
        _MediaRow(*row)
        for row in connection.execute("SELECT sha256, path, size FROM media ORDER BY sha256")
    )
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while batch := list(islice(rows, _FILES_AT_ONCE)):
            found = pool.map(lambda row: _check_file(store, row), batch)
            for row, finding in zip(batch, found, strict=True):
                result.files += 1
                result.size += row.size
                on_file(row.size)
                if finding is None:
                    result.sound.append(row.sha256)
                else:
                    result.findings.append(finding)


def _check_file(store: Store, row: _MediaRow) -> Finding | None:
    finding = _read_file(store, row)
    return finding and _read_file(store, row)  # a flaky cable is not a damaged file


def _read_file(store: Store, row: _MediaRow) -> Finding | None:
    try:
        found, size = hash_file(store.path_of(row.path))
    except FileNotFoundError:
        return Finding("missing_file", row.path, "the file is not there")
    except (OSError, StorageError) as error:
        return Finding("changed_file", row.path, str(error))
    if (found, size) == (row.sha256, row.size):
        return None
    return Finding("changed_file", row.path, f"its {size:,} bytes have the hash {found}")


def _leftovers(connection: sqlite3.Connection, store: Store) -> Iterator[Finding]:
    known = "SELECT 1 FROM media WHERE path = ?"
    for file in store.walk():
        if connection.execute(known, (file.path,)).fetchone() is None:
            yield Finding("leftover", file.path, "no row of the archive refers to it")
    if store.tmp.is_dir():
        for path in sorted(store.tmp.iterdir()):
            yield Finding("leftover", f"tmp/{path.name}", "an unfinished download")


def note_verified(connection: sqlite3.Connection, result: Verified, now: str) -> None:
    """Note on the rows of sound files when they were read back."""
    with transaction(connection):
        heal_found(connection, result.sound, now)
        update(
            connection, "media", "sha256 IN (SELECT value FROM json_each(?))",
            (json.dumps(result.sound),), verified_at=now,
        )  # fmt: skip


def repair(connection: sqlite3.Connection, directory: Path, result: Verified, run_at: str) -> int:
    """Queue what is lost to be fetched again; returns for how many renditions.

    A damaged file is moved to `quarantine/`, never deleted.
    """
    store = Store(directory)
    queued = 0
    for finding in result.findings:
        if finding.what not in {"missing_file", "changed_file"}:
            continue
        if finding.what == "changed_file":
            store.quarantine(finding.subject)
        with transaction(connection):
            queued += lose(connection, Path(finding.subject).stem, run_at)
    return queued
