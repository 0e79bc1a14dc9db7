"""Checking the whole database: several checks, in parallel for a large one."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from archiver.archive.extracts import MAY_LACK, read_extract_note
from archiver.archive.facts import ROW_HASHED
from archiver.evidence.findings import Finding, Verified
from archiver.evidence.ledger import check_ledger
from archiver.evidence.processes import in_processes
from archiver.evidence.rows import Reopen, check_references, check_rows
from archiver.evidence.schema import check_schema
from archiver.evidence.slices import WHOLE, Slice
from archiver.media.disk import CHUNK_SIZE, open_file

LEDGER = "the ledger"
CHECKS = ("schema", "sqlite", *ROW_HASHED, "references", LEDGER)
"""The checks, in the order of the report; a table's name means the check of its rows."""

_MANY_ROWS = 100_000
"""From so many rows on, processes save more time than they take to start."""


def check_database(
    connection: sqlite3.Connection, path: Path, reopen: Reopen, result: Verified,
    part: Slice = WHOLE,
) -> None:  # fmt: skip
    """Run all checks, each on a snapshot of the database, while others may write.

    `path` is where the database is; `reopen` gives another connection to it. A slice is so little
    that one process reads it.
    """
    todo: list[str] = []
    if part.is_whole:
        _read_ahead(path)
        todo = _for_processes(connection) if _is_open_file(connection, path) else []
    found = dict(zip(todo, in_processes(partial(_check_in_process, reopen), todo), strict=True))
    for check in CHECKS:
        of_check = found.get(check) or _check(connection, check, reopen, part)
        result.rows += of_check.rows
        result.findings += of_check.findings
        result.bad_rows += of_check.bad_rows


def _read_ahead(path: Path) -> None:
    """Read the file once from start to end, so that it is in the system's cache.

    The checks read it in the order of its indexes, which takes much longer from a cold disk.
    """
    buffer = bytearray(CHUNK_SIZE)
    with suppress(OSError), os.fdopen(open_file(path), "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _for_processes(connection: sqlite3.Connection) -> list[str]:
    """The checks of a large database, the longest first, so that all processes end together."""
    try:
        rows = connection.execute(
            "SELECT name, rows FROM table_checksums ORDER BY rows DESC"
        ).fetchall()
    except sqlite3.DatabaseError:  # the checks themselves will report it
        return []
    if sum(count for _, count in rows) < _MANY_ROWS:
        return []
    tables = [name for name, _ in rows if name in ROW_HASHED]
    first = [LEDGER, "sqlite", "references", *tables]
    return first + [check for check in CHECKS if check not in first]


def _is_open_file(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the connection is to this file, and not to a temporary copy."""
    name = connection.execute("PRAGMA database_list").fetchone()[2]
    return Path(name).resolve() == path.resolve()


def _check_in_process(reopen: Reopen, check: str) -> Verified:
    with reopen() as connection:
        return _check(connection, check, reopen)


def _check(
    connection: sqlite3.Connection, check: str, reopen: Reopen, part: Slice = WHOLE
) -> Verified:
    """One of `CHECKS`, in a transaction of its own."""
    result = Verified()
    factory = connection.text_factory
    connection.execute("BEGIN")
    try:
        if check == "schema":
            result.findings += _report_unreadable(check_schema(connection), "archive.db")
        elif check == "sqlite":
            result.findings += _report_unreadable(_sqlite_checks(connection, part), "archive.db")
        elif check == LEDGER:
            result.findings += _report_unreadable(check_ledger(connection, part), "ledger")
        elif check == "references":
            result.findings += _report_unreadable(check_references(connection, part), check)
        else:
            result.findings += _report_unreadable(
                check_rows(connection, check, reopen, result, part), check
            )
    finally:
        connection.text_factory = factory
        connection.rollback()
    return result


def _report_unreadable(findings: Iterable[Finding], subject: str) -> Iterator[Finding]:
    """The findings, and one more where the database cannot be read."""
    try:
        yield from findings
    except (sqlite3.DatabaseError, UnicodeDecodeError, LookupError) as error:
        yield Finding("database", subject, f"cannot be read: {error}")


def _sqlite_checks(connection: sqlite3.Connection, part: Slice) -> Iterator[Finding]:
    """SQLite's own checks; of slices, each table in one, and in another the pages of the file.

    Only without the name of a table it looks at pages that no table uses.
    """
    if part.is_whole:
        checks = ["integrity_check", "foreign_key_check"]
    else:
        checks = ["quick_check"] if part.has("pages") else []
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE ?"
        for (name,) in connection.execute(names, ("CREATE VIRTUAL %",)).fetchall():
            quoted = name.replace("'", "''")
            checks += [
                f"{check}('{quoted}')"
                for check in ("integrity_check", "foreign_key_check")
                if part.has(f"{check} of {name}")
            ]
    for check in checks:
        yield from _report_unreadable(_pragma(connection, check), "archive.db")


def _pragma(connection: sqlite3.Connection, check: str) -> Iterator[Finding]:
    lacking: frozenset[str] = MAY_LACK if read_extract_note(connection) else frozenset()
    for row in connection.execute(f"PRAGMA {check}"):
        if check.startswith("foreign_key_check"):
            table, row_id, parent, _ = row
            if parent in lacking:
                continue
            yield Finding(
                "reference", f"{table} {row_id}", f"refers to a row of {parent} that is missing"
            )
        elif row[0] != "ok":
            for line in row[0].splitlines():
                yield Finding("database", "archive.db", line)
