# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Twentieth step: the keys that sign checkpoints, and what was lost when a copy was put back."""

import sqlite3

from archiver.archive.steps.statements import statements

SIGNING = """
CREATE TABLE signing_keys (
    -- The keys that sign checkpoints, in order: each signs until the next one begins. See docs/evidence-format.md.
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    since INTEGER NOT NULL,      -- entries in the ledger then: it signs checkpoints of more than these
    public_key TEXT NOT NULL,    -- the Ed25519 key, 32 bytes in base64
    actor TEXT NOT NULL,         -- who made it, as in runs
    reason TEXT NOT NULL,        -- first; rotated: signed by the one before too; lost, compromised: by the new one alone
    note TEXT NOT NULL,          -- what it is and why, as a signed note
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE TABLE restores (
    -- Each time that an older copy took the place of the archive, and somebody said that this was right.
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,         -- who said so, as in runs
    kept_size INTEGER NOT NULL,  -- entries of the ledger that the newest checkpoint that still fits counts; 0: none fits
    lost_size INTEGER NOT NULL,  -- entries that the newest checkpoint of what was lost counts
    lost_note TEXT NOT NULL,     -- that checkpoint
    known_from TEXT NOT NULL,    -- where it was found
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
INSERT OR IGNORE INTO table_checksums (name, rows, sum)
    VALUES ('signing_keys', 0, 0), ('restores', 0, 0);
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the tables; in a transaction."""
    for statement in statements(SIGNING):
        connection.execute(statement)
