"""The changes of a run, or since a date, post by post."""

import json
import sqlite3
from collections.abc import Collection, Iterator
from typing import NamedTuple

from archiver.archive.row_objects import objects

_REPORTED = (
    "edited", "visibility_changed", "missing", "removed", "restored", "media_restored", "omitted",
    "gone",
)  # fmt: skip


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
    """The id of the newest event; those of a run that begins now come after it."""
    newest: int = connection.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
    return newest


class ChangeCount(NamedTuple):
    """How many changes of one kind a run found on an account, for one reason.

    `is_first_run`: the archive did not have the account before.
    """

    what: str
    account: str
    reason: str | None
    is_first_run: bool
    total: int


# new posts of an account's first run are not noteworthy
_NOTEWORTHY = f"""
    SELECT events.id AS event_id, what, accounts.name AS account, reason,
           accounts.first_seen_at >= runs.started_at AS is_first_run
      FROM events JOIN posts ON posts.id = post_id
      JOIN accounts ON accounts.id = posts.account_id
      JOIN runs ON runs.id = run_id
     WHERE events.id > :after AND run_id = :run
       AND (what IN ({", ".join(f"'{w}'" for w in _REPORTED)})
        OR (what = 'seen' AND NOT is_first_run))
"""


def changes_of(
    connection: sqlite3.Connection, run_id: int, after: int, limit: int
) -> Iterator[Change]:
    """The noteworthy events of a run, in order, at most `limit` of each kind.

    All of them came `after` an event.
    """
    query = f"""
        SELECT events.what, accounts.name AS account, posts.platform, posts.id AS post_id,
               coalesce(nullif(posts.title, ''), posts.text, '') AS text, posts.url, reason_code,
               events.reason
          FROM (SELECT event_id, row_number() OVER (PARTITION BY what ORDER BY event_id) AS number
                  FROM ({_NOTEWORTHY}))
          JOIN events ON events.id = event_id
          JOIN posts ON posts.id = post_id JOIN accounts ON accounts.id = posts.account_id
         WHERE number <= :limit ORDER BY events.id
    """
    parameters = {"run": run_id, "after": after, "limit": limit}
    return objects(connection.execute(query, parameters), Change)


def change_counts(connection: sqlite3.Connection, run_id: int, after: int) -> Iterator[ChangeCount]:
    """How many noteworthy events a run has, the most frequent first."""
    query = f"""
        SELECT what, account, reason, is_first_run, count(*) AS total FROM ({_NOTEWORTHY})
         GROUP BY what, account, reason ORDER BY total DESC
    """
    return objects(connection.execute(query, {"run": run_id, "after": after}), ChangeCount)


class DatedChange(NamedTuple):
    """Something that happened to a post, and when the archive noticed it."""

    at: str
    what: str
    account: str
    platform: str
    post_id: int
    text: str
    url: str | None
    source: str | None
    reason_code: str | None
    reason: str | None


def changes_since(
    connection: sqlite3.Connection, since: str, accounts: Collection[str] = (), *,
    with_new: bool = False,
) -> Iterator[DatedChange]:  # fmt: skip
    """What happened to posts from a time on, in order; of all accounts, if none are named.

    Posts that were seen for the first time are left out, unless `with_new`.
    """
    query = """
        SELECT at, what, accounts.name AS account, posts.platform, posts.id AS post_id,
               coalesce(nullif(posts.title, ''), posts.text, '') AS text, posts.url,
               events.source, reason_code, events.reason
          FROM events JOIN posts ON posts.id = post_id
          JOIN accounts ON accounts.id = posts.account_id
         WHERE at >= :since AND (:new OR what <> 'seen')
           AND (:all OR accounts.name IN (SELECT value FROM json_each(:accounts)))
         ORDER BY at, events.id
    """
    parameters = {
        "since": since, "new": with_new, "all": not accounts,
        "accounts": json.dumps(list(accounts)),
    }  # fmt: skip
    return objects(connection.execute(query, parameters), DatedChange)
