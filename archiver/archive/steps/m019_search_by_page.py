"""Nineteenth step: a page of posts is added to the search index at once."""

import sqlite3


def apply(connection: sqlite3.Connection) -> None:
    """Drop the trigger that added each post by itself: FTS5 wrote a segment after every post.

    `archiver.archive.rows` adds them instead, with the rows and in their transaction.
    """
    connection.execute("DROP TRIGGER posts_fts_insert")
