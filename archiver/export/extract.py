"""Writes an extract: an archive with the chosen posts, all that hangs on them, and the ledger.

It has, besides, the accounts of these posts with their profiles, pictures, coverage and part in
runs; and where all posts of an account are chosen, the answers that are kept of it and the records
that could not be read. All else is left out: an answer may hold posts that were not chosen.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from archiver.archive.extracts import (
    ABOUT,
    COUNTED_ANEW,
    ExtractNote,
    hide_rows,
    keys_in,
    read_extract_note,
)
from archiver.archive.facts import APPLICATION_ID
from archiver.archive.hashed_rows import (
    CHECKSUM_MASK,
    checksum_of,
    insert_statement,
    with_hash,
    write_rows,
)
from archiver.archive.ledger import LEDGER_TABLES
from archiver.archive.row_objects import column_names, mappings
from archiver.archive.schema_objects import expected_objects
from archiver.archive.storage_totals import ALL_COUNTS
from archiver.archive.tombstones import SALT
from archiver.disks import sync
from archiver.export.heading import ExportHeading
from archiver.export.snapshot import Snapshot
from archiver.media.disk import create_file, open_file, storage_error
from archiver.saved_posts import SavedFile

_AT_ONCE = 500  # rows read together
_NONE: Mapping[str, str] = {}
_OF_ABOUT = f"name NOT IN ('{ABOUT}', '{SALT}')"  # with the key, guessed ids could be tried
_WHOLE = ("about", "runs", "signing_keys", "restores", "time_stamps")
_OF_WHOLE_ACCOUNTS = frozenset({"responses", "quarantine"})
_BY_OWNER = {
    "post_id": "SELECT value FROM json_each(:ids)",
    "attachment_id": (
        "SELECT id FROM attachments WHERE post_id IN (SELECT value FROM json_each(:ids))"
    ),
    "rendition_id": (
        "SELECT renditions.id FROM attachments JOIN renditions ON attachment_id = attachments.id "
        "WHERE post_id IN (SELECT value FROM json_each(:ids))"
    ),
}
"""The owners of a row of posts' tables, by the column that names it: the first that a table has."""


def write_extract(
    snapshot: Snapshot, path: Path, heading: ExportHeading, *, has_answers: bool = True
) -> None:
    """Write the database of an extract. Raises StorageError.

    Without answers it has neither these nor records that could not be read, of no account.
    """
    try:
        path.unlink(missing_ok=True)
        os.close(create_file(path))
        with closing(sqlite3.connect(path, isolation_level=None)) as target:
            target.execute("PRAGMA page_size = 8192")
            target.execute("PRAGMA journal_mode = OFF")  # one that is not finished is thrown away
            target.execute("PRAGMA synchronous = OFF")
            target.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            target.execute("BEGIN")
            _Extract(snapshot, target, has_answers=has_answers).write(heading)
            target.execute("COMMIT")
            target.execute("PRAGMA optimize = 0x10002")
        descriptor = open_file(path)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise storage_error(error, f"write {path}") from error


def files_of_extract(path: Path) -> Iterator[SavedFile]:
    """The files that an extract names, but for those that the archive has lost."""
    query = "SELECT * FROM media WHERE lost_at IS NULL ORDER BY sha256"
    with closing(sqlite3.connect(path)) as connection:
        for number, row in enumerate(mappings(connection.execute(query)), 1):
            yield SavedFile(
                number, 0, "original", "stored", None, None, row["content_type"], row["width"],
                row["height"], None, row["duration_ms"], row["sha256"], row["path"], row["size"],
            )  # fmt: skip


class _Extract:
    """One extract that is being written to the database `target`."""

    def __init__(
        self, snapshot: Snapshot, target: sqlite3.Connection, *, has_answers: bool
    ) -> None:
        self._snapshot = snapshot
        self._has_answers = has_answers
        self._source = snapshot.connection
        self._target = target
        self._tables = self._hashed_tables()

    def write(self, heading: ExportHeading) -> None:
        """Write everything; in a transaction."""
        objects = expected_objects(self._source)
        for (kind, _), found in objects.items():
            if kind == "table" and found.sql:
                self._target.execute(found.sql)
        self._copy_steps()
        self._write_posts()
        self._write_accounts()
        for table in _WHOLE:
            self._copy(table, _OF_ABOUT if table == "about" else "TRUE")
        self._write_parents()
        self._count_files()
        self._write_note(heading)
        self._write_checksums()
        self._target.execute("INSERT INTO posts_fts (posts_fts) VALUES ('rebuild')")
        for (kind, _), found in objects.items():
            if kind != "table" and found.sql:
                self._target.execute(found.sql)

    def _hashed_tables(self) -> dict[str, list[str]]:
        """The columns of each table whose rows have a hash."""
        names = self._source.execute("SELECT name FROM table_checksums ORDER BY name").fetchall()
        return {
            name: [row[1] for row in self._source.execute(f"PRAGMA table_info({name})")]
            for (name,) in names
        }

    def _copy_steps(self) -> None:
        (sql,) = self._source.execute(
            "SELECT sql FROM sqlite_master WHERE name = '_sqlite_migrations'"
        ).fetchone()
        self._target.execute(sql)
        self._add("_sqlite_migrations", self._source.execute("SELECT * FROM _sqlite_migrations"))

    # posts

    def _write_posts(self) -> None:
        owners = {
            table: next(column for column in _BY_OWNER if column in columns)
            for table, columns in self._tables.items()
            if not _BY_OWNER.keys().isdisjoint(columns)
        }
        for ids in self._snapshot.batches():
            chosen = {"ids": json.dumps(ids)}
            self._copy("posts", "id IN (SELECT value FROM json_each(:ids))", chosen)
            for table, column in owners.items():
                self._copy(table, f"{column} IN ({_BY_OWNER[column]})", chosen)

    # accounts

    def _write_accounts(self) -> None:
        query = "SELECT account_id, count(*) FROM posts GROUP BY account_id"
        chosen = dict(self._target.execute(query).fetchall())
        every = dict(self._source.execute(query).fetchall())
        whole = [
            account
            for account, count in chosen.items()
            if self._has_answers and every[account] == count
        ]
        self._copy(
            "accounts",
            "id IN (SELECT value FROM json_each(:ids))",
            {"ids": json.dumps(list(chosen))},
        )
        of_posts = {"post_id", "attachment_id", "rendition_id"}
        for table, columns in self._tables.items():
            if "account_id" not in columns or not of_posts.isdisjoint(columns):
                continue
            if table in {"posts", COUNTED_ANEW}:
                continue
            ids = whole if table in _OF_WHOLE_ACCOUNTS else list(chosen)
            condition = "account_id IN (SELECT value FROM json_each(:ids))"
            self._copy(table, condition, {"ids": json.dumps(ids)})

    # the rest

    def _write_parents(self) -> None:
        """Copy what the rows refer to and what belongs to no post or account: files, versions."""
        owners = {*_BY_OWNER, "account_id"}
        free = {
            table
            for table, columns in self._tables.items()
            if owners.isdisjoint(columns) and table not in LEDGER_TABLES
        }
        for table in self._tables:
            for row in self._source.execute(f"PRAGMA foreign_key_list({table})").fetchall():
                if row[2] in free:
                    self._copy_parents(table, row[3], row[2], row[4])

    def _copy_parents(self, table: str, column: str, parent: str, key: str) -> None:
        named = self._target.execute(
            f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL "
            f"AND {column} NOT IN (SELECT {key} FROM {parent})"
        )
        missing = [value for (value,) in named]
        for start in range(0, len(missing), _AT_ONCE):
            some = json.dumps(missing[start : start + _AT_ONCE])
            self._copy(parent, f"{key} IN (SELECT value FROM json_each(:ids))", {"ids": some})

    def _count_files(self) -> None:
        found = list(mappings(self._target.execute(ALL_COUNTS)))
        write_rows(self._target, COUNTED_ANEW, [with_hash(COUNTED_ANEW, row) for row in found])

    def _write_note(self, heading: ExportHeading) -> None:
        chosen = heading.selection
        if (earlier := read_extract_note(self._source)) is not None:
            chosen = f"{chosen}; of an extract of {earlier.chosen}"
        note = ExtractNote(heading.made_at, chosen)
        write_rows(
            self._target, "about", [with_hash("about", {"name": ABOUT, "value": note.text()})]
        )
        self._copy("ledger", "TRUE")
        self._copy("checkpoints", "TRUE")
        self._write_commitments()

    def _write_commitments(self) -> None:
        """The commitments of all rows; of those that are not here, nothing else."""
        query = "SELECT * FROM ledger_rows ORDER BY id"
        for part in mappings(self._source.execute(query)):
            table = part["table_name"]
            is_here = table in self._tables and table != COUNTED_ANEW
            keys = keys_in(self._target, table, part) if is_here else set()
            row = hide_rows(part, keys.__contains__)
            del row["row_sha256"]
            write_rows(self._target, "ledger_rows", [with_hash("ledger_rows", row)])

    def _write_checksums(self) -> None:
        for table in self._tables:
            found = self._target.execute(f"SELECT row_sha256 FROM {table}")
            count = total = 0
            while hashes := [digest for (digest,) in found.fetchmany(_AT_ONCE * 10)]:
                count += len(hashes)
                total = (total + checksum_of(hashes)) & CHECKSUM_MASK
            self._target.execute(
                "INSERT OR REPLACE INTO table_checksums (name, rows, sum) VALUES (?, ?, ?)",
                (table, count, total),
            )

    def _copy(self, table: str, condition: str, parameters: Mapping[str, str] = _NONE) -> None:
        query = f"SELECT * FROM {table} WHERE {condition}"
        self._add(table, self._source.execute(query, parameters))

    def _add(self, table: str, found: sqlite3.Cursor) -> None:
        statement = insert_statement(table, dict.fromkeys(column_names(found)))
        while rows := found.fetchmany(_AT_ONCE):
            self._target.executemany(statement, rows)
