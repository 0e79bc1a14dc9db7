# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Fifteenth step: the official exports that were imported, and which posts they showed."""

import sqlite3

from archiver.archive.steps.statements import statements

PACKAGES = """
CREATE TABLE packages (
    -- An official export that was imported. It is not kept: what it holds beside posts is private.
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs(id),
    account_id INTEGER NOT NULL REFERENCES accounts(id),
    platform TEXT NOT NULL,
    layout TEXT NOT NULL,        -- which of the platform's layouts it has
    exported_at TEXT NOT NULL,   -- when the platform made it; where it does not say so, the time of its newest file
    imported_at TEXT NOT NULL,   -- when this archive began to read it
    outcome TEXT NOT NULL,       -- running, done, partial, failed, interrupted
    counts TEXT,                 -- as JSON: records read; posts matched by their id or by a rule, new, known before; files; what could not be read
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE TABLE package_parts (
    -- One file of a package as it was downloaded: whoever keeps it elsewhere can show that it is the same.
    id INTEGER PRIMARY KEY,
    package_id INTEGER NOT NULL REFERENCES packages(id),
    name TEXT NOT NULL,          -- of the file or folder
    size INTEGER NOT NULL,       -- bytes; of a folder those of all its files
    sha256 TEXT NOT NULL,        -- of its bytes; of a folder that of the lines that sha256sum prints for its files, in order of their names
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE TABLE package_posts (
    -- The newest package that showed a post: an older one that is imported later changes nothing of it.
    post_id INTEGER PRIMARY KEY REFERENCES posts(id),
    package_id INTEGER NOT NULL REFERENCES packages(id),
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX packages_account ON packages(account_id);
CREATE INDEX package_parts_sha256 ON package_parts(sha256);
INSERT OR IGNORE INTO table_checksums (name, rows, sum)
    VALUES ('packages', 0, 0), ('package_parts', 0, 0), ('package_posts', 0, 0);
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the tables and indexes; in a transaction."""
    for statement in statements(PACKAGES):
        connection.execute(statement)
