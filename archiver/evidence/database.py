"""Checking the whole database: several checks, in parallel for a large one."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from archiver.archive.extracts import MAY_LACK, read_extract_note
from archiver.archive.schema import ROW_HASHED
from archiver.evidence.findings import Finding, Verified
from archiver.evidence.ledger import check_ledger
from archiver.evidence.processes import in_processes
from archiver.evidence.rows import Reopen, check_references, check_rows
from archiver.evidence.schema import check_schema
from archiver.media.disk import CHUNK_SIZE, open_file

LEDGER = "the ledger"
CHECKS = ("schema", "sqlite", *ROW_HASHED, "references", LEDGER)
"""The checks, in the order of the report; a table's name means the check of its rows."""

_MANY_ROWS = 100_000
"""From so many rows on, processes save more time than they take to start."""


def check_database(
    connection: sqlite3.Connection, path: Path, reopen: Reopen, result: Verified
) -> None:
    """Run all checks, each on a snapshot of the database, while others may write.

    `path` is where the database is; `reopen` gives another connection to it.
    """
    _read_ahead(path)
    todo = _for_processes(connection) if _is_open_file(connection, path) else []
    found = dict(zip(todo, in_processes(partial(_check_in_process, reopen), todo), strict=True))
    for check in CHECKS:
        part = found.get(check) or _check(connection, check, reopen)
        result.rows += part.rows
        result.findings += part.findings
        result.bad_rows += part.bad_rows


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


def _check(connection: sqlite3.Connection, check: str, reopen: Reopen) -> Verified:
    """One of `CHECKS`, in a transaction of its own."""
    result = Verified()
    factory = connection.text_factory
    connection.execute("BEGIN")
    try:
        if check == "schema":
            result.findings += _report_unreadable(check_schema(connection), "archive.db")
        elif check == "sqlite":
            result.findings += _sqlite_checks(connection)
        elif check == LEDGER:
            result.findings += _report_unreadable(check_ledger(connection), "ledger")
        elif check == "references":
            result.findings += _report_unreadable(check_references(connection), check)
        else:
            result.findings += _report_unreadable(
                check_rows(connection, check, reopen, result), check
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


def _sqlite_checks(connection: sqlite3.Connection) -> Iterator[Finding]:
    for check in ("integrity_check", "foreign_key_check"):
        yield from _report_unreadable(_pragma(connection, check), "archive.db")


def _pragma(connection: sqlite3.Connection, check: str) -> Iterator[Finding]:
    lacking: frozenset[str] = MAY_LACK if read_extract_note(connection) else frozenset()
    for row in connection.execute(f"PRAGMA {check}"):
        if check == "foreign_key_check":
            table, row_id, parent, _ = row
            if parent in lacking:
                continue
            yield Finding(
                "reference", f"{table} {row_id}", f"refers to a row of {parent} that is missing"
            )
        elif row[0] != "ok":
            for line in row[0].splitlines():
                yield Finding("database", "archive.db", line)
