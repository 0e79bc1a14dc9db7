"""The edits of a post, as several sources show them one after the other.

An edit is one, however many sources show it, and whichever shows it first. So each source has a
place in the row of edits: the newest that it has shown. When what it says changes, it may have
caught up with an edit that is known from another one.
"""

import sqlite3

from archiver.archive.wording import hash_of, media_kinds, wording_of


def newest_edit(connection: sqlite3.Connection, post_id: int) -> int:
    """How many edits of a post are known."""
    query = "SELECT coalesce(max(edit), 0) FROM revisions WHERE post_id = ?"
    edit: int = connection.execute(query, (post_id,)).fetchone()[0]
    return edit


def newest_edit_worded(connection: sqlite3.Connection, post_id: int, wording: str) -> int | None:
    """The newest edit that is known in this wording, by its hash; None where there is none."""
    query = "SELECT max(edit) FROM revisions WHERE post_id = ? AND wording_sha256 = ?"
    edit: int | None = connection.execute(query, (post_id, wording)).fetchone()[0]
    if edit is None and wording == _wording_now(connection, post_id):
        return newest_edit(connection, post_id)
    return edit


def _wording_now(connection: sqlite3.Connection, post_id: int) -> str | None:
    """The wording of a post, where its newest revision is of a version that did not keep it."""
    query = """
        SELECT title, text FROM posts WHERE id = :post AND (
            SELECT wording_sha256 FROM revisions WHERE post_id = :post ORDER BY number DESC LIMIT 1
        ) IS NULL
    """
    row = connection.execute(query, {"post": post_id}).fetchone()
    return None if row is None else hash_of(wording_of(*row), kinds_now(connection, post_id))


def kinds_now(connection: sqlite3.Connection, post_id: int) -> list[str]:
    """The kinds of media that a post has now, in order."""
    query = """
        SELECT kind FROM attachments WHERE post_id = :post AND last_revision = (
            SELECT max(number) FROM revisions WHERE post_id = :post) ORDER BY position
    """
    rows = connection.execute(query, {"post": post_id}).fetchall()
    return media_kinds(kind for (kind,) in rows)


def edit_worded_after(
    connection: sqlite3.Connection, post_id: int, edit: int, wording: str, source: str
) -> int | None:
    """The first edit after one that another source than this showed in this wording."""
    query = """
        SELECT min(edit) FROM revisions
         WHERE post_id = ? AND edit > ? AND wording_sha256 = ? AND source <> ?
    """
    row = connection.execute(query, (post_id, edit, wording, source)).fetchone()
    found: int | None = row[0]
    return found


def is_worded_differently(connection: sqlite3.Connection, post_id: int) -> bool:
    """Whether the sources of a post word it differently, so that their words cannot be compared."""
    query = "SELECT EXISTS (SELECT 1 FROM revisions WHERE post_id = ? AND why = 'other_source')"
    return bool(connection.execute(query, (post_id,)).fetchone()[0])
