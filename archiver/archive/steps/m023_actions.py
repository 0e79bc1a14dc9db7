# ruff: noqa: E501 — a column and what it means stand on one line, as they are printed
"""Twenty-third step: what people did with the archive that leaves its posts as they are."""

import sqlite3

from archiver.archive.steps.statements import statements

ACTIONS = """
CREATE TABLE actions (
    -- What people did with the archive that leaves its posts as they are: reviews of posts, exports, changes of the configuration.
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    what TEXT NOT NULL,          -- review, export, configuration_change
    actor TEXT NOT NULL,         -- who did it, as in runs
    environment_id INTEGER NOT NULL REFERENCES environments(id),  -- with which versions of what
    post_id INTEGER,             -- of the post that was reviewed; it stays when that post is erased
    note TEXT,                   -- what the reviewer says of it
    details TEXT,                -- JSON: of an export its format, selection, counts and the hash of its manifest; of a change all settings since then, secrets left out
    row_sha256 TEXT NOT NULL     -- hash of this row
) STRICT;
CREATE INDEX actions_post ON actions(post_id) WHERE post_id IS NOT NULL;
CREATE TRIGGER actions_stay BEFORE UPDATE ON actions
    BEGIN SELECT RAISE(ABORT, 'actions are never changed'); END;
CREATE TRIGGER actions_keep BEFORE DELETE ON actions
    BEGIN SELECT RAISE(ABORT, 'actions are never deleted'); END;
INSERT OR IGNORE INTO table_checksums (name, rows, sum) VALUES ('actions', 0, 0);
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the table, its index and triggers; in a transaction."""
    for statement in statements(ACTIONS):
        connection.execute(statement)
