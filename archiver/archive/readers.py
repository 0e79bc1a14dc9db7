"""What the archive contains, for `archiver status`; reads only."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from archiver.archive.packages import EXPORT
from archiver.archive.row_objects import mappings, objects
from archiver.archive.storage_totals import ARCHIVE_TOTAL, storage_totals


@dataclass(frozen=True, slots=True)
class Gap:
    """A range of time that no complete scan has covered; `since` is None where it is open."""

    stream: str
    since: str | None
    until: str | None
    reason_code: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class MissingMedia:
    """Missing files of an account that share one reason."""

    state: str
    role: str
    reason_code: str | None
    reason: str | None
    count: int
    next_try_at: str | None


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """What came of the last run of an account through one source; `at` is when it ended."""

    source: str
    outcome: str
    message: str | None
    at: str | None


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What the archive contains of one account. Sizes are in bytes, times in UTC."""

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
    missing: tuple[MissingMedia, ...] = ()
    unmapped: tuple[str, ...] = ()
    sources: tuple[SourceOutcome, ...] = ()


@dataclass(frozen=True, slots=True)
class ArchiveStatus:
    """The archive as a whole. `files` and `size` count every file once, lost ones not."""

    files: int
    size: int
    last_run: str | None
    last_outcome: str | None
    accounts: tuple[AccountStatus, ...] = field(default=())


def archive_status(connection: sqlite3.Connection) -> ArchiveStatus:
    """Everything that `archiver status` prints."""
    totals = storage_totals(connection)
    last = connection.execute(
        "SELECT coalesce(finished_at, started_at), outcome FROM runs ORDER BY id DESC LIMIT 1"
    ).fetchone()
    accounts = tuple(_accounts(connection, totals))
    last_run, last_outcome = last or (None, None)
    files, size = totals.get(ARCHIVE_TOTAL, (0, 0))
    return ArchiveStatus(
        files=files, size=size, last_run=last_run, last_outcome=last_outcome, accounts=accounts
    )


@dataclass(frozen=True, slots=True)
class OmittedFile:
    """A file that its platform withholds: whose, the time and address of its post, and why."""

    account: str
    created_at: str
    url: str
    reason: str


def omitted_media(connection: sqlite3.Connection) -> list[OmittedFile]:
    """The files that platforms withhold, by account, newest first."""
    query = """
        SELECT account, coalesce(created_at, '') AS created_at, coalesce(post_url, '') AS url,
               coalesce(reason, '') AS reason
          FROM missing_media WHERE state = 'omitted' ORDER BY account, created_at DESC
    """
    return list(objects(connection.execute(query), OmittedFile))


IS_GOOD = "outcome IN ('done', 'fresh', 'away')"
"""Condition: a run of an account went well; in an order, what did not comes first."""

_ACCOUNTS = """
    SELECT accounts.id, name, accounts.platform, handle,
           (SELECT count(*) FROM posts WHERE account_id = accounts.id) AS posts,
           (SELECT max(created_at) FROM posts WHERE account_id = accounts.id) AS newest,
           (SELECT min(created_at) FROM posts WHERE account_id = accounts.id) AS oldest,
           (SELECT count(*) FROM quarantine WHERE account_id = accounts.id) AS quarantined
      FROM accounts ORDER BY name
"""


# Asked once for all accounts, from the few rows that count: asked per account, each of these would
# read every post.
_REMOVED = """
    SELECT account_id, count(*) FROM posts INDEXED BY posts_removed
     WHERE removed_at IS NOT NULL GROUP BY account_id
"""
_EDITS = """
    SELECT account_id, count(*) FROM revisions CROSS JOIN posts ON posts.id = post_id
     WHERE number > 1 AND why = 'edited' GROUP BY account_id
"""


def _accounts(
    connection: sqlite3.Connection, totals: Mapping[int, tuple[int, int]]
) -> Iterator[AccountStatus]:
    removed, edits = (dict(connection.execute(query)) for query in (_REMOVED, _EDITS))
    missing, sources = _missing(connection), source_outcomes(connection)
    for row in list(mappings(connection.execute(_ACCOUNTS))):
        account_id = row.pop("id")
        covered_since, reached_start = connection.execute(
            "SELECT oldest, reached_start FROM coverage WHERE account_id = ? AND stream = 'posts' "
            "ORDER BY newest DESC LIMIT 1",
            (account_id,),
        ).fetchone() or (None, 0)
        (last_good_run,) = connection.execute(
            "SELECT finished_at FROM run_accounts WHERE account_id = ? "
            "AND outcome IN ('done', 'fresh') ORDER BY source = ?, run_id DESC LIMIT 1",
            (account_id, EXPORT),
        ).fetchone() or (None,)
        last_outcome, last_message = connection.execute(
            "SELECT outcome, message FROM run_accounts WHERE account_id = ? "
            f"ORDER BY source = ?, run_id DESC, {IS_GOOD} LIMIT 1",
            (account_id, EXPORT),
        ).fetchone() or (None, None)
        files, size = totals.get(account_id, (0, 0))
        yield AccountStatus(
            **row, removed=removed.get(account_id, 0), edits=edits.get(account_id, 0),
            files=files, size=size, covered_since=covered_since,
            reached_start=bool(reached_start), last_good_run=last_good_run,
            last_outcome=last_outcome, last_message=last_message,
            gaps=tuple(_gaps(connection, row["name"])),
            missing=tuple(missing.get(account_id, ())),
            unmapped=_unmapped(connection, account_id),
            sources=sources.get(account_id, ()),
        )  # fmt: skip


def source_outcomes(connection: sqlite3.Connection) -> dict[int, tuple[SourceOutcome, ...]]:
    """What came of the last run through each source, by the ids of the accounts.

    Of columns beside `max`, SQLite takes the values of the row that has it.
    """
    query = """
        SELECT account_id, source, outcome, message, coalesce(finished_at, started_at) AS at,
               max(run_id) AS last
          FROM run_accounts WHERE account_id IS NOT NULL GROUP BY account_id, source
         ORDER BY source
    """
    found: dict[int, tuple[SourceOutcome, ...]] = {}
    for account_id, *row, _ in connection.execute(query):
        found[account_id] = (*found.get(account_id, ()), SourceOutcome(*row))
    return found


def _unmapped(connection: sqlite3.Connection, account_id: int) -> tuple[str, ...]:
    """Paths of the unmapped fields, as the newest run that found any has them."""
    query = """
        SELECT value FROM json_each((
            SELECT unmapped_paths FROM run_accounts
             WHERE account_id = ? AND unmapped_paths IS NOT NULL
             ORDER BY run_id DESC LIMIT 1))
    """
    return tuple(row[0] for row in connection.execute(query, (account_id,)))


def _gaps(connection: sqlite3.Connection, name: str) -> Iterator[Gap]:
    query = "SELECT stream, since, until, reason_code, reason FROM gaps WHERE account = ?"
    return objects(connection.execute(query, (name,)), Gap)


def _missing(connection: sqlite3.Connection) -> dict[int, list[MissingMedia]]:
    """Missing files by account, most frequent first; each half of the query has its own index."""
    columns = "account_id, state, role, reason_code, reason"
    query = f"""
        SELECT {columns}, count(*) AS count, min(next_try_at) AS next_try_at FROM (
            SELECT {columns}, next_try_at
              FROM renditions WHERE state IN ('pending', 'failed')
             UNION ALL
            SELECT {columns}, next_try_at
              FROM renditions WHERE state IN ('omitted', 'not_offered', 'gone', 'refused'))
         GROUP BY {columns} ORDER BY count(*) DESC
    """
    found: dict[int, list[MissingMedia]] = {}
    for row in mappings(connection.execute(query)):
        found.setdefault(row.pop("account_id"), []).append(MissingMedia(**row))
    return found
