"""The first page: totals, what needs attention, this day in earlier years, and the accounts."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from archiver.archive.storage_totals import ARCHIVE_TOTAL, storage_totals
from archiver.browse.accounts import AccountCard, account_cards
from archiver.browse.alarms import Alarm, alarms, count_in_state
from archiver.browse.archives import Archive
from archiver.browse.frame import COUNTING_MS, archive_of, ask, page
from archiver.browse.memories import YearOfDay, on_this_day


@dataclass(frozen=True)
class Home:
    """The content of the first page."""

    accounts: list[AccountCard]
    posts: int
    files: int
    bytes: int
    last_run: Mapping[str, Any] | None
    alarms: list[Alarm]
    omitted: str  # how many files; empty for none


async def home(datasette: Any, request: Any) -> Any:
    """The first page."""
    archive = await archive_of(datasette, request)
    now = datetime.now(UTC)
    today = now.astimezone().date()  # the reader is at this machine

    def question(connection: sqlite3.Connection) -> tuple[Home, list[YearOfDay]]:
        return collect(connection, archive, now), on_this_day(connection, archive, today, 1)

    found, memories = await ask(datasette, archive, question, COUNTING_MS)
    context = {"home": found, "memories": memories, "today": today, "now": now}
    return await page(datasette, request, archive, "home", context)


def collect(connection: sqlite3.Connection, archive: Archive, now: datetime) -> Home:
    """Read all that the page shows."""
    files, size = _storage(connection, archive)
    accounts = list(account_cards(connection, archive, now))
    last_run = None
    if archive.has("runs", "outcome"):
        row = connection.execute("SELECT * FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        last_run = dict(row) if row else None
    return Home(
        accounts=accounts,
        posts=archive.tally.posts(connection).total(),
        files=files,
        bytes=size,
        last_run=last_run,
        alarms=list(alarms(connection, archive, accounts, last_run, now)),
        omitted=count_in_state(connection, "omitted"),
    )


def _storage(connection: sqlite3.Connection, archive: Archive) -> tuple[int, int]:
    """Number and total bytes of the media files; a published copy keeps no totals."""
    if not archive.has("storage_totals"):
        return archive.tally.files(connection)
    return storage_totals(connection).get(ARCHIVE_TOTAL, (0, 0))
