# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Eleventh step: the tries to get videos that are behind their pages."""

import sqlite3

from archiver.archive.steps.statements import statements

RESOLUTIONS = """
CREATE TABLE resolutions (
    -- One try of a resolver to get a video that is behind its page.
    id INTEGER PRIMARY KEY,
    rendition_id INTEGER NOT NULL REFERENCES renditions(id),
    run_id INTEGER NOT NULL REFERENCES runs(id),
    platform TEXT NOT NULL,      -- whose page it is: so many tries a day are made of each
    resolver TEXT NOT NULL,
    version TEXT,                -- of the program that it uses
    at TEXT NOT NULL,
    reason_code TEXT,            -- why it could not be had, from the list of reason codes below; empty when it was stored
    reason TEXT,                 -- the same for people
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX resolutions_platform ON resolutions(platform, at);
CREATE INDEX resolutions_rendition ON resolutions(rendition_id);
INSERT OR IGNORE INTO table_checksums (name, rows, sum) VALUES ('resolutions', 0, 0);
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the table and its indexes; in a transaction."""
    for statement in statements(RESOLUTIONS):
        connection.execute(statement)
