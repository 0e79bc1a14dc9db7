"""Eighteenth step: an index of the commitments to rows that were changed or removed.

A slice of verify asks it which of its rows a later entry speaks of.
"""

import sqlite3

INDEX = """
CREATE INDEX ledger_rows_changes ON ledger_rows(table_name) WHERE change <> 'added'
"""


def apply(connection: sqlite3.Connection) -> None:
    """Make the index."""
    connection.execute(INDEX)
