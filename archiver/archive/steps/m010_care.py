# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Tenth step: when the archive was verified and copied, and with what result."""

import sqlite3

from archiver.archive.steps.statements import statements

CARE = """
CREATE TABLE care (
    -- What was done to look after the archive beside backups: each verify of it, and each copy.
    id INTEGER PRIMARY KEY,
    finished_at TEXT NOT NULL,
    what TEXT NOT NULL,          -- verify, copy
    target TEXT,                 -- the folder of the copy
    outcome TEXT NOT NULL,       -- done; partial: only some of the files were read, or some could not be; damaged: damage was found
    files INTEGER NOT NULL,      -- files read, or copied
    bytes INTEGER NOT NULL,      -- their size
    damaged INTEGER NOT NULL,    -- integrity errors found
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
INSERT OR IGNORE INTO table_checksums (name, rows, sum) VALUES ('care', 0, 0);
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the table; in a transaction."""
    for statement in statements(CARE):
        connection.execute(statement)
