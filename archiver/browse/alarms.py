"""What needs a person's attention, each with the page that tells more."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from archiver.browse.accounts import AccountCard
from archiver.browse.archives import Archive
from archiver.browse.states import in_state
from archiver.browse.text import day
from archiver.human import ago, counted, parse_time
from archiver.models import CLOCKS_AGREE

_LAST_RUN = {
    "failed": "the last run failed", "partial": "the last run was partial",
    "interrupted": "the last run was interrupted",
}  # fmt: skip
"""Outcomes for an account that need attention, as a sentence."""

_STALE_AFTER = timedelta(days=8)
_COUNTED_UP_TO = 10_000
_NEWEST_EVENTS = 5_000
"""Among so many events, those of the last run are looked for: no index has them by run."""

_FILES = {
    "failed": ("failed and will be tried again", "failed and will be tried again"),
    "pending": ("is waiting to be fetched", "are waiting to be fetched"),
    "gone": ("could not be downloaded: it is gone", "could not be downloaded: they are gone"),
}
"""What is said of one file and of several, by their state."""


@dataclass(frozen=True)
class Alarm:
    """A sentence, and the page below the archive's that tells more."""

    sentence: str
    place: str


def alarms(
    connection: sqlite3.Connection,
    archive: Archive,
    accounts: Iterable[AccountCard],
    last_run: Mapping[str, Any] | None,
    now: datetime,
) -> Iterator[Alarm]:
    """What needs a person's attention, most urgent first."""
    if last_run:
        yield from _run_alarms(last_run, now)
    for account in accounts:
        if account.last_outcome in _LAST_RUN:
            why = f": {account.last_message}" if account.last_message else ""
            yield Alarm(f"{account.row['name']}: {_LAST_RUN[account.last_outcome]}{why}", "runs")
    if archive.has("gaps"):
        found = connection.execute("SELECT account, count(*) FROM gaps GROUP BY account")
        for name, count in found.fetchall():
            yield Alarm(f"{name}: {counted(count, 'gap')} in its coverage.", "runs#gaps")
    yield from _file_alarms(connection, last_run)
    if archive.has("quarantine"):
        bad = connection.execute("SELECT count(*) FROM quarantine").fetchone()[0]
        if bad:
            yield Alarm(f"{counted(bad, 'record')} could not be parsed (quarantined).", "runs")


def _run_alarms(last_run: Mapping[str, Any], now: datetime) -> Iterator[Alarm]:
    if last_run["outcome"] == "failed":
        yield Alarm("The last run failed.", "runs")
    elif last_run["outcome"] == "interrupted":
        yield Alarm("The last run was interrupted; the next one resumes it.", "runs")
    ended = parse_time(last_run["finished_at"] or last_run["started_at"])
    if ended and (now - ended > _STALE_AFTER or ended - now > CLOCKS_AGREE):
        yield Alarm(f"The last run was {ago(ended.isoformat(), now)}.", "runs")


def _file_alarms(
    connection: sqlite3.Connection, last_run: Mapping[str, Any] | None
) -> Iterator[Alarm]:
    counts = {state: count_in_state(connection, state) for state in ("failed", "pending")}
    for state, count in counts.items():
        if count:
            ids = connection.execute(
                f"SELECT id FROM renditions WHERE {in_state(state)} "
                "ORDER BY published_at DESC, id LIMIT 2"
            ).fetchall()
            yield _of_files(connection, state, count, [row[0] for row in ids])
    if last_run and last_run["failed"]:
        if gone := _gone_in(connection, last_run["id"]):
            yield _of_files(connection, "gone", f"{len(gone):,}", gone)
        elif not counts["failed"]:
            yield Alarm(f"{counted(last_run['failed'], 'file')} failed in the last run.", "runs")


def _of_files(connection: sqlite3.Connection, state: str, count: str, ids: list[int]) -> Alarm:
    """What is said of files in one state; of a single one, which it is."""
    place = f"missing?{urlencode({'state': state, 'file': ids[0]})}#file-{ids[0]}"
    if count != "1":
        return Alarm(f"{count} files {_FILES[state][1]}.", place)
    name, kind, at = connection.execute(
        """SELECT accounts.name, attachments.kind, posts.created_at FROM renditions
             JOIN attachments ON attachments.id = attachment_id
             JOIN posts ON posts.id = attachments.post_id
             JOIN accounts ON accounts.id = posts.account_id
            WHERE renditions.id = ?""",
        (ids[0],),
    ).fetchone()
    return Alarm(f"{name}: 1 file ({kind}, post of {day(at)}) {_FILES[state][0]}.", place)


def _gone_in(connection: sqlite3.Connection, run: int) -> list[int]:
    """The renditions that a run found gone, the newest first."""
    rows = connection.execute(
        f"""SELECT DISTINCT renditions.id FROM events
              JOIN renditions ON renditions.attachment_id = events.attachment_id
             WHERE events.id > (SELECT max(id) FROM events) - {_NEWEST_EVENTS} AND run_id = ?
               AND what = 'gone' AND {in_state("gone")}
             ORDER BY published_at DESC, renditions.id""",
        (run,),
    )
    return [row[0] for row in rows]


def count_in_state(connection: sqlite3.Connection, state: str) -> str:
    """How many files are in a state; empty for none, `10,000+` beyond that."""
    count = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM renditions WHERE {in_state(state)} "
        f"LIMIT {_COUNTED_UP_TO + 1})"
    ).fetchone()[0]
    if not count:
        return ""
    return f"{_COUNTED_UP_TO:,}+" if count > _COUNTED_UP_TO else f"{count:,}"
