# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Twenty-first step: time stamps of checkpoints."""

import sqlite3

from archiver.archive.steps.statements import statements

TIME_STAMPS = """
CREATE TABLE time_stamps (
    -- Tokens of time stamp authorities (RFC 3161): each proves that a checkpoint was there at a time. See docs/evidence-format.md.
    id INTEGER PRIMARY KEY,
    checkpoint_id INTEGER NOT NULL REFERENCES checkpoints(id),
    authority TEXT NOT NULL,     -- the address that was asked
    received_at TEXT NOT NULL,   -- when the answer came, by this machine's clock
    stamped_at TEXT NOT NULL,    -- when the authority says that it stamped it
    token BLOB NOT NULL,         -- the answer as it came (TimeStampResp, DER), of the note of the checkpoint
    chain TEXT NOT NULL,         -- certificates in PEM: the authority's own, those above it, and last the root that was trusted
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX time_stamps_checkpoint ON time_stamps(checkpoint_id);
CREATE TRIGGER time_stamps_stay BEFORE UPDATE ON time_stamps
    BEGIN SELECT RAISE(ABORT, 'time stamps are never changed'); END;
CREATE TRIGGER time_stamps_keep BEFORE DELETE ON time_stamps
    BEGIN SELECT RAISE(ABORT, 'time stamps are never deleted'); END;
INSERT OR IGNORE INTO table_checksums (name, rows, sum) VALUES ('time_stamps', 0, 0);
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the table; in a transaction."""
    for statement in statements(TIME_STAMPS):
        connection.execute(statement)
