# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Twenty-fourth step: legal holds."""

import sqlite3

from archiver.archive.steps.statements import statements

HOLDS = """
CREATE TABLE holds (
    -- Legal holds: posts that must be kept for a matter. While one lasts, they are neither erased nor disposed of.
    id INTEGER PRIMARY KEY,
    matter TEXT NOT NULL,        -- the case, by its name or number; several holds may be of one
    reason TEXT NOT NULL,        -- why they must be kept
    scope TEXT NOT NULL,         -- which posts, as JSON: accounts (ids), since, until, words, posts (ids); what is missing does not restrict
    placed_at TEXT NOT NULL,
    placed_by TEXT NOT NULL,     -- who placed it: as named, else the actor of the configuration, else user@host
    released_at TEXT,            -- when it ended; empty while it lasts
    released_by TEXT,
    release_reason TEXT,         -- why it ended
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE TRIGGER holds_keep BEFORE DELETE ON holds
    BEGIN SELECT RAISE(ABORT, 'holds are released, never deleted'); END;
INSERT OR IGNORE INTO table_checksums (name, rows, sum) VALUES ('holds', 0, 0);
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the table; in a transaction."""
    for statement in statements(HOLDS):
        connection.execute(statement)
