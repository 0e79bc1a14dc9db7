"""The first page: totals, accounts with their coverage, and what needs attention."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from archiver.archive.storage_totals import ARCHIVE_TOTAL, storage_totals
from archiver.browse.archives import Archive
from archiver.browse.calendar import Month, rows, spans, years
from archiver.browse.frame import COUNTING_MS, archive_of, ask, page
from archiver.browse.states import in_state
from archiver.human import ago, counted, parse_time
from archiver.models import CLOCKS_AGREE

_LAST_RUN = {
    "failed": "the last run failed", "partial": "the last run was partial",
    "interrupted": "the last run was interrupted",
}  # fmt: skip
"""Outcomes for an account that need attention, as a sentence."""

_STALE_AFTER = timedelta(days=8)
_YEARS = 3
_COUNTED_UP_TO = 10_000


@dataclass(frozen=True)
class AccountCard:
    """One account on the first page."""

    row: Mapping[str, Any]
    posts: int
    edited: int
    removed: int
    last_good: str | None
    last_outcome: str | None
    last_message: str | None
    years: list[tuple[str, list[Month]]]
    former_handles: list[str]  # the newest first

    def calendar(self, base: str) -> Markup:
        """The rows of its calendar; `base` is the URL path of the archive's pages."""
        return rows(self.years, f"{base}/timeline?{urlencode({'account': self.row['name']})}")


@dataclass(frozen=True)
class Home:
    """The content of the first page."""

    accounts: list[AccountCard]
    posts: int
    files: int
    bytes: int
    last_run: Mapping[str, Any] | None
    alarms: list[tuple[str, str]]  # a sentence, and the name of the page with more about it
    omitted: str  # how many files; empty for none


async def home(datasette: Any, request: Any) -> Any:
    """The first page."""
    archive = await archive_of(datasette, request)
    now = datetime.now(UTC)
    found = await ask(
        datasette, archive, lambda connection: collect(connection, archive, now), COUNTING_MS
    )
    return await page(datasette, request, archive, "home", {"home": found, "now": now})


def collect(
    connection: sqlite3.Connection, archive: Archive, now: datetime, most_years: int = _YEARS
) -> Home:
    """Read all that the page shows; at most `most_years` of each calendar."""
    months = archive.tally.months(connection)
    files, size = _storage(connection, archive)
    accounts = list(_accounts(connection, archive, months, now, most_years))
    last_run = None
    if archive.has("runs", "outcome"):
        row = connection.execute("SELECT * FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        last_run = dict(row) if row else None
    alarms = list(_alarms(connection, archive, accounts, last_run, now))
    return Home(
        accounts=accounts,
        posts=sum(months.values()),
        files=files,
        bytes=size,
        last_run=last_run,
        alarms=alarms,
        omitted=count_in_state(connection, "omitted"),
    )


def _storage(connection: sqlite3.Connection, archive: Archive) -> tuple[int, int]:
    """Number and total bytes of the media files; a published copy keeps no totals."""
    if not archive.has("storage_totals"):
        return archive.tally.files(connection)
    return storage_totals(connection).get(ARCHIVE_TOTAL, (0, 0))


def _accounts(
    connection: sqlite3.Connection,
    archive: Archive,
    months: Counter[tuple[int, str]],
    now: datetime,
    most_years: int,
) -> Iterator[AccountCard]:
    by_account: dict[int, dict[str, int]] = defaultdict(dict)
    for (account, month), count in months.items():
        by_account[account][month] = count
    covered, gaps = spans(connection) if archive.has("coverage") else ({}, {})
    runs = _runs(connection) if archive.has("run_accounts") else {}
    former_handles = _former_handles(connection) if archive.has("account_profiles") else {}
    for row in connection.execute("SELECT * FROM accounts ORDER BY name").fetchall():
        own, run = by_account[row["id"]], runs.get(row["id"], {})
        yield AccountCard(
            row=dict(row), posts=sum(own.values()), edited=run.get("edited", 0),
            removed=run.get("removed", 0), last_good=run.get("last_good"),
            last_outcome=run.get("outcome"), last_message=run.get("message"),
            years=years(
                own, covered.get(row["id"], ()), gaps.get(row["id"], ()), now, most_years
            ),
            former_handles=former_handles.get(row["id"], []),
        )  # fmt: skip


def _former_handles(connection: sqlite3.Connection) -> dict[int, list[str]]:
    """Earlier handles by account id, the newest first."""
    found: dict[int, list[str]] = defaultdict(list)
    query = """
        SELECT account_id, account_profiles.handle FROM account_profiles
          JOIN accounts ON accounts.id = account_id
         WHERE account_profiles.handle <> accounts.handle
         GROUP BY 1, 2 ORDER BY max(account_profiles.id) DESC
    """
    for account, handle in connection.execute(query):
        found[account].append(handle)
    return found


def _runs(connection: sqlite3.Connection) -> dict[int, Mapping[str, Any]]:
    """Totals of all runs and the outcome of the last one, by account id."""
    sums = connection.execute(
        """SELECT account_id, sum(edited) AS edited, sum(removed) AS removed,
                  max(CASE WHEN outcome IN ('done', 'fresh', 'away') THEN run_id END) AS good_id,
                  max(run_id) AS run_id
             FROM run_accounts WHERE account_id IS NOT NULL GROUP BY account_id"""
    ).fetchall()
    found: dict[int, Mapping[str, Any]] = {}
    for row in sums:
        last = connection.execute(
            "SELECT outcome, message, (SELECT finished_at FROM run_accounts "
            "WHERE run_id = ? AND account_id = ?) AS last_good "
            "FROM run_accounts WHERE run_id = ? AND account_id = ?",
            (row["good_id"], row["account_id"], row["run_id"], row["account_id"]),
        ).fetchone()
        found[row["account_id"]] = {**dict(row), **dict(last)}
    return found


def _alarms(
    connection: sqlite3.Connection,
    archive: Archive,
    accounts: list[AccountCard],
    last_run: Mapping[str, Any] | None,
    now: datetime,
) -> Iterator[tuple[str, str]]:
    """What needs a person's attention, most urgent first."""
    if last_run:
        yield from _run_alarms(last_run, now)
    for account in accounts:
        if account.last_outcome in _LAST_RUN:
            why = f": {account.last_message}" if account.last_message else ""
            yield f"{account.row['name']}: {_LAST_RUN[account.last_outcome]}{why}", "runs"
    if archive.has("gaps"):
        found = connection.execute("SELECT account, count(*) FROM gaps GROUP BY account")
        for name, count in found.fetchall():
            yield f"{name}: {counted(count, 'gap')} in its coverage.", "runs"
    yield from _file_alarms(connection, last_run)
    if archive.has("quarantine"):
        bad = connection.execute("SELECT count(*) FROM quarantine").fetchone()[0]
        if bad:
            yield f"{counted(bad, 'record')} could not be parsed (quarantined).", "runs"


def _run_alarms(last_run: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, str]]:
    if last_run["outcome"] == "failed":
        yield "The last run failed.", "runs"
    elif last_run["outcome"] == "interrupted":
        yield "The last run was interrupted; the next one resumes it.", "runs"
    ended = parse_time(last_run["finished_at"] or last_run["started_at"])
    if ended and (now - ended > _STALE_AFTER or ended - now > CLOCKS_AGREE):
        yield f"The last run was {ago(ended.isoformat(), now)}.", "runs"


def _file_alarms(
    connection: sqlite3.Connection, last_run: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    for state, label in (("failed", "failed and will be retried"), ("pending", "waiting")):
        if count := count_in_state(connection, state):
            yield f"{count} {'file' if count == '1' else 'files'} {label}.", "missing"
        elif state == "failed" and last_run and last_run["failed"]:  # and is not tried again
            yield f"{counted(last_run['failed'], 'file')} failed in the last run.", "runs"


def count_in_state(connection: sqlite3.Connection, state: str) -> str:
    """How many files are in a state; empty for none, `10,000+` beyond that."""
    count = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM renditions WHERE {in_state(state)} "
        f"LIMIT {_COUNTED_UP_TO + 1})"
    ).fetchone()[0]
    if not count:
        return ""
    return f"{_COUNTED_UP_TO:,}+" if count > _COUNTED_UP_TO else f"{count:,}"
