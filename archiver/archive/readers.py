"""What the archive holds, for `archiver status`: questions to a connection that only reads."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time that no complete look has covered; `since` is None where it has no end."""

    stream: str
    since: str | None
    until: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Missing:
    """Files of an account that are not here, for one reason."""

    state: str
    role: str
    reason: str | None
    count: int
    next_try_at: str | None


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What the archive holds of one account. Sizes are in bytes, times in UTC."""

    name: str
    platform: str
    handle: str | None
    posts: int
    removed: int
    edits: int
    files: int
    size: int
    newest: str | None
    oldest: str | None
    covered_since: str | None
    reached_start: bool
    last_good_run: str | None
    last_outcome: str | None
    last_message: str | None
    quarantined: int
    gaps: tuple[Gap, ...] = ()
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class ArchiveStatus:
    """The archive as a whole. `files` and `size` count every file once, however often used."""

    files: int
    size: int
    last_run: str | None
    last_outcome: str | None
    accounts: tuple[AccountStatus, ...] = field(default=())


def archive_status(connection: sqlite3.Connection) -> ArchiveStatus:
    """All that `archiver status` says."""
    files, size = connection.execute(
        "SELECT count(*), coalesce(sum(size), 0) FROM media"
    ).fetchone()
    last = connection.execute(
        "SELECT coalesce(finished_at, started_at), outcome FROM runs ORDER BY id DESC LIMIT 1"
    ).fetchone()
    accounts = tuple(_accounts(connection))
    last_run, last_outcome = last or (None, None)
    return ArchiveStatus(files, size, last_run, last_outcome, accounts)


def withheld(connection: sqlite3.Connection, limit: int = 100) -> list[tuple[str, str, str, str]]:
    """Posts whose media a platform withholds: account, time, address, reason."""
    query = """
        SELECT account, coalesce(created_at, ''), coalesce(post_url, ''), coalesce(reason, '')
          FROM missing_media WHERE state = 'omitted' LIMIT ?
    """
    return connection.execute(query, (limit,)).fetchall()


_ACCOUNTS = """
    SELECT accounts.id, name, accounts.platform, handle,
           (SELECT count(*) FROM posts WHERE account_id = accounts.id),
           (SELECT count(*) FROM posts WHERE account_id = accounts.id AND removed_at IS NOT NULL),
           (SELECT count(*) FROM revisions JOIN posts ON posts.id = post_id
             WHERE account_id = accounts.id AND number > 1),
           (SELECT max(created_at) FROM posts WHERE account_id = accounts.id),
           (SELECT min(created_at) FROM posts WHERE account_id = accounts.id),
           (SELECT count(*) FROM quarantine WHERE account_id = accounts.id)
      FROM accounts ORDER BY name
"""


def _accounts(connection: sqlite3.Connection) -> Iterator[AccountStatus]:
    for row in connection.execute(_ACCOUNTS).fetchall():
        account_id, name, platform, handle, posts, removed, edits, newest, oldest, bad = row
        files, size = connection.execute(_FILES, (account_id,)).fetchone()
        covered = connection.execute(
            "SELECT oldest, reached_start FROM coverage WHERE account_id = ? AND stream = 'posts' "
            "ORDER BY newest DESC LIMIT 1",
            (account_id,),
        ).fetchone() or (None, 0)
        good = connection.execute(
            "SELECT max(finished_at) FROM run_accounts WHERE account_id = ? "
            "AND outcome IN ('done', 'fresh')",
            (account_id,),
        ).fetchone()[0]
        last = connection.execute(
            "SELECT outcome, message FROM run_accounts WHERE account_id = ? "
            "ORDER BY run_id DESC LIMIT 1",
            (account_id,),
        ).fetchone() or (None, None)
        yield AccountStatus(
            name, platform, handle, posts, removed, edits, files, size, newest, oldest,
            covered[0], bool(covered[1]), good, last[0], last[1], bad,
            gaps=tuple(_gaps(connection, name)),
            missing=tuple(_missing(connection, account_id)),
        )  # fmt: skip


_FILES = """
    SELECT count(*), coalesce(sum(size), 0) FROM media WHERE sha256 IN (
        SELECT media_sha256 FROM renditions
          JOIN attachments ON attachments.id = attachment_id
          JOIN posts ON posts.id = post_id
         WHERE account_id = ? AND media_sha256 IS NOT NULL)
"""


def _gaps(connection: sqlite3.Connection, name: str) -> Iterator[Gap]:
    query = "SELECT stream, since, until, reason FROM gaps WHERE account = ?"
    for row in connection.execute(query, (name,)):
        yield Gap(*row)


def _missing(connection: sqlite3.Connection, account_id: int) -> Iterator[Missing]:
    query = """
        SELECT state, role, reason, count(*), min(next_try_at)
          FROM renditions JOIN attachments ON attachments.id = attachment_id
          JOIN posts ON posts.id = post_id
         WHERE state IN ('pending', 'failed', 'omitted', 'gone', 'refused') AND account_id = ?
         GROUP BY state, role, reason ORDER BY count(*) DESC
    """
    for row in connection.execute(query, (account_id,)):
        yield Missing(*row)
