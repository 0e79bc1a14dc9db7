"""What a run changed, post by post, for its summary."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from archiver.archive.row_objects import objects

_OF_INTEREST = ("edited", "missing", "removed", "restored", "media_restored", "omitted", "gone")


class Change(NamedTuple):
    """One post that a run found new, edited, missing, removed or restored, and so on."""

    what: str
    account: str
    platform: str
    post_id: int
    text: str
    url: str | None
    reason_code: str | None
    reason: str | None


def newest_event(connection: sqlite3.Connection) -> int:
    """The id of the last event that there is: those of a run that begins now come after it."""
    newest: int = connection.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
    return newest


def changes_of(
    connection: sqlite3.Connection, run_id: int, after: int, limit: int
) -> Iterator[Change]:
    """The noteworthy events of a run, in order; all of them came `after` an event.

    New posts of an account's first run are not noteworthy.
    """
    query = f"""
        SELECT what, accounts.name AS account, posts.platform, posts.id AS post_id,
               coalesce(nullif(posts.title, ''), posts.text, '') AS text, posts.url, reason_code,
               reason
          FROM events JOIN posts ON posts.id = post_id
          JOIN accounts ON accounts.id = posts.account_id
         WHERE events.id > :after AND run_id = :run
           AND (what IN ({", ".join(f"'{w}'" for w in _OF_INTEREST)})
            OR (what = 'seen' AND accounts.first_seen_at <
                (SELECT started_at FROM runs WHERE id = :run)))
         ORDER BY events.id LIMIT :limit
    """
    parameters = {"run": run_id, "after": after, "limit": limit}
    return objects(connection.execute(query, parameters), Change)
