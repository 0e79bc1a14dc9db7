# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Twenty-fifth step: erasures, and by what erased posts are known should they come again."""

import sqlite3

from archiver.archive.steps.statements import statements

ERASURES = """
CREATE TABLE erasures (
    -- What was erased, or was to be: on whose word, why, and what proves it.
    id INTEGER PRIMARY KEY,
    state TEXT NOT NULL,         -- planned; withdrawn; refused: a post is held; running: the rows are erased, files and free pages not yet; done
    kind TEXT NOT NULL,          -- erasure: somebody asked for it; disposal: a rule of retention
    basis TEXT NOT NULL,         -- the legal basis, or the rule
    requested_at TEXT NOT NULL,  -- when it was planned
    requested_by TEXT NOT NULL,
    decided_at TEXT,             -- when it was confirmed, withdrawn or refused
    decided_by TEXT,
    reason TEXT,                 -- why it was refused: the holds
    posts TEXT,                  -- the posts, by id, as JSON; empty once they are erased
    count INTEGER NOT NULL,      -- how many
    keeps_metrics INTEGER NOT NULL,  -- 1: the certificate has the sums of the last metrics
    blanked TEXT,                -- the commitments that say nothing any more, as JSON: of each row of ledger_rows its id, and which items
    certificate TEXT,            -- the certificate of deletion, as JSON
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE TRIGGER erasures_keep BEFORE DELETE ON erasures
    BEGIN SELECT RAISE(ABORT, 'erasures stay on record'); END;

CREATE TABLE tombstones (
    -- By what an erased post is known when a source shows it again: it is not saved. None of its content.
    id INTEGER PRIMARY KEY,
    erasure_id INTEGER NOT NULL REFERENCES erasures(id),
    commitment TEXT NOT NULL,    -- HMAC-SHA-256 of one of its ids, or of its time, keyed with the tombstone_salt of the table about
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX tombstones_commitment ON tombstones(commitment);

CREATE TABLE response_cuts (
    -- Answers of a source that are not kept as they were received: erased posts were taken out of them.
    id INTEGER PRIMARY KEY,
    response_id INTEGER NOT NULL REFERENCES responses(id),
    erasure_id INTEGER REFERENCES erasures(id),  -- which took them out; empty: they were left out when it was received
    at TEXT NOT NULL,
    records INTEGER NOT NULL,    -- how many records were taken out; 0: the whole body
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX response_cuts_response ON response_cuts(response_id);
INSERT OR IGNORE INTO table_checksums (name, rows, sum)
    VALUES ('erasures', 0, 0), ('tombstones', 0, 0), ('response_cuts', 0, 0);
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the tables; in a transaction."""
    for statement in statements(ERASURES):
        connection.execute(statement)
