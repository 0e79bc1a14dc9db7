"""The edits of a post, as several sources show them one after the other.

An edit counts once, however many sources show it, and whichever shows it first. For each source,
the number of the newest edit that it has shown is kept. When its content changes, it may have
caught up with an edit that another source showed before.
"""

import sqlite3

from archiver.archive.wording import hash_of_wording, media_kinds, wording_of


def newest_edit(connection: sqlite3.Connection, post_id: int) -> int:
    """How many edits of a post are known."""
    query = "SELECT coalesce(max(edit), 0) FROM revisions WHERE post_id = ?"
    edit: int = connection.execute(query, (post_id,)).fetchone()[0]
    return edit


def newest_edit_with_wording(
    connection: sqlite3.Connection, post_id: int, wording: str
) -> int | None:
    """The newest edit whose wording has this hash; None where there is none."""
    query = "SELECT max(edit) FROM revisions WHERE post_id = ? AND wording_sha256 = ?"
    edit: int | None = connection.execute(query, (post_id, wording)).fetchone()[0]
    if edit is None and wording == _wording_now(connection, post_id):
        return newest_edit(connection, post_id)
    return edit


def _wording_now(connection: sqlite3.Connection, post_id: int) -> str | None:
    """The hash of a post's wording, where its newest revision was saved before hashes were kept."""
    query = """
        SELECT title, text FROM posts WHERE id = :post AND (
            SELECT wording_sha256 FROM revisions WHERE post_id = :post ORDER BY number DESC LIMIT 1
        ) IS NULL
    """
    row = connection.execute(query, {"post": post_id}).fetchone()
    return (
        None if row is None else hash_of_wording(wording_of(*row), kinds_now(connection, post_id))
    )


def kinds_now(connection: sqlite3.Connection, post_id: int) -> list[str]:
    """The kinds of media that a post has now, in order."""
    query = """
        SELECT kind FROM attachments WHERE post_id = :post AND last_revision = (
            SELECT max(number) FROM revisions WHERE post_id = :post) ORDER BY position
    """
    rows = connection.execute(query, {"post": post_id}).fetchall()
    return media_kinds(kind for (kind,) in rows)


def next_edit_with_wording(
    connection: sqlite3.Connection, post_id: int, edit: int, wording: str, source: str
) -> int | None:
    """The first edit after `edit` that a source other than `source` showed in this wording."""
    query = """
        SELECT min(edit) FROM revisions
         WHERE post_id = ? AND edit > ? AND wording_sha256 = ? AND source <> ?
    """
    row = connection.execute(query, (post_id, edit, wording, source)).fetchone()
    found: int | None = row[0]
    return found


def is_worded_differently(connection: sqlite3.Connection, post_id: int) -> bool:
    """Whether the sources word a post differently, so that their wordings cannot be compared."""
    query = "SELECT EXISTS (SELECT 1 FROM revisions WHERE post_id = ? AND why = 'other_source')"
    return bool(connection.execute(query, (post_id,)).fetchone()[0])


def is_worded_since(
    connection: sqlite3.Connection, post_id: int, source: str, as_of: str | None
) -> bool:
    """Whether another source has shown other words after that time, which an export is of."""
    query = """
        SELECT EXISTS (
            SELECT 1 FROM revisions WHERE post_id = ? AND source <> ? AND seen_at > ?)
    """
    return bool(as_of and connection.execute(query, (post_id, source, as_of)).fetchone()[0])
