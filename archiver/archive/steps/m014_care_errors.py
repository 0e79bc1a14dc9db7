# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Fourteenth step: what of the care for an archive failed; how much space files take, by year."""

import sqlite3

from archiver.archive.steps.rebuild import Rebuild, rebuild
from archiver.archive.steps.statements import statements

CARE = """
CREATE TABLE care (
    -- What was done to look after the archive beside backups: each verify of it, each copy, and thumbnails made ahead.
    id INTEGER PRIMARY KEY,
    finished_at TEXT NOT NULL,
    what TEXT NOT NULL,          -- verify, copy, thumbnails
    target TEXT,                 -- the folder of the copy
    outcome TEXT NOT NULL,       -- done; partial: only some of the files were read or made, or some could not be; damaged: damage was found; failed: it could not be done
    error_code TEXT,             -- why it failed: a short word for programs, as in run_accounts
    files INTEGER NOT NULL,      -- files read, copied or made
    bytes INTEGER NOT NULL,      -- size of those read or copied
    damaged INTEGER NOT NULL,    -- integrity errors found
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
"""

FILES_OF_ACCOUNTS = """
DROP INDEX renditions_media;
CREATE INDEX renditions_media ON renditions(media_sha256, account_id, published_at)
    WHERE media_sha256 IS NOT NULL;
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the table anew, with a column for errors, and the index; in a transaction."""
    rebuild(connection, Rebuild("care", CARE, {"error_code": "NULL"}), ())
    for statement in statements(FILES_OF_ACCOUNTS):
        connection.execute(statement)
