# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Twenty-second step: who did something with the archive, and with which versions of what."""

import sqlite3

from archiver.archive.steps.rebuild import Rebuild, rebuild
from archiver.archive.steps.statements import statements

ENVIRONMENTS = """
CREATE TABLE environments (
    -- The versions of everything that a run, a verify or a copy was made with: a row whenever one of them has changed.
    id INTEGER PRIMARY KEY,
    seen_at TEXT NOT NULL,       -- when they were first used
    versions TEXT NOT NULL,      -- JSON: archiver, python, sqlite, system, and packages by name
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
INSERT OR IGNORE INTO table_checksums (name, rows, sum) VALUES ('environments', 0, 0);
"""

RUNS = """
CREATE TABLE runs (
    -- One execution of `archiver backup`.
    id INTEGER PRIMARY KEY,
    started_at TEXT NOT NULL,    -- when it began
    finished_at TEXT,            -- when it ended; empty while it runs, or when it was killed
    outcome TEXT NOT NULL,       -- running, done, partial, failed, interrupted
    exit_code INTEGER,           -- what the program told the shell
    version TEXT NOT NULL,       -- of this program
    actor TEXT,                  -- who ran it: the actor of the configuration, else user@host; empty in runs of earlier versions
    environment_id INTEGER REFERENCES environments(id),  -- with which versions of what
    asked TEXT NOT NULL,         -- JSON: accounts and options of the command line
    got INTEGER NOT NULL,        -- records received
    new INTEGER NOT NULL,        -- posts seen for the first time
    edited INTEGER NOT NULL,     -- posts whose content had changed
    removed INTEGER NOT NULL,    -- posts found removed, at the second look
    stored INTEGER NOT NULL,     -- renditions whose file was stored
    bytes INTEGER NOT NULL,      -- bytes of media received
    omitted INTEGER NOT NULL,    -- renditions found withheld by the platform
    failed INTEGER NOT NULL,     -- renditions that were tried and could not be had
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
"""

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
    actor TEXT,                  -- who did it, as in runs
    environment_id INTEGER REFERENCES environments(id),  -- with which versions of what
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
"""

_UNKNOWN = {"actor": "NULL", "environment_id": "NULL"}


def apply(connection: sqlite3.Connection) -> None:
    """Make the table, and two others with columns for it; in a transaction.

    The new columns are empty in the rows of then, so their hashes stay as they are.
    """
    for statement in statements(ENVIRONMENTS):
        connection.execute(statement)
    rebuild(connection, Rebuild("runs", RUNS, _UNKNOWN), ())
    rebuild(connection, Rebuild("care", CARE, _UNKNOWN), ())
