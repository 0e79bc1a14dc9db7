"""Seventh step: indexes for lists of one kind of post, and of one account's missing files."""

import sqlite3

from archiver.archive.steps.statements import statements

INDEXES = """
CREATE INDEX posts_account_kind ON posts(account_id, kind, created_at DESC);
CREATE INDEX renditions_absent_account
    ON renditions(account_id, state, reason_code, published_at DESC, id)
    WHERE state IN ('omitted', 'not_offered', 'gone', 'refused');
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the indexes; in a transaction."""
    for statement in statements(INDEXES):
        connection.execute(statement)
