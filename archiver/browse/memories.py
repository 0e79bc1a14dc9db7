"""This day in earlier years: on the first page, and on a page of its own for any day."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from archiver.browse.archives import Archive
from archiver.browse.entries import Entry, entries_of_lists
from archiver.browse.filters import Filter, following
from archiver.browse.frame import archive_of, ask, page
from archiver.browse.months import NAMES, is_day, is_month

_MOST_YEARS = 30
_MOST_POSTS = 12  # of one year; there is a link to the others
_MOST_ON_PAGE = 40  # of all years together, where these are not more


@dataclass(frozen=True)
class YearOfDay:
    """The posts of one day of one year; at most some of them."""

    day: str  # 2024-03-14
    count: int
    entries: list[Entry]
    is_cut: bool

    @property
    def year(self) -> str:
        """The year alone."""
        return self.day[:4]


def on_this_day(
    connection: sqlite3.Connection,
    archive: Archive,
    day: date,
    most_posts: int = _MOST_POSTS,
    *,
    before: int | None = None,
) -> list[YearOfDay]:
    """The years before that of `day` (or `before` another) with posts of that day, newest first."""
    months = {month for _, _, month in archive.tally.posts(connection) if is_month(month)}
    years = {month[:4] for month in months if month[5:] == f"{day:%m}"}
    wanted = sorted((year for year in years if int(year) < (before or day.year)), reverse=True)
    days = {}
    for year in wanted[:_MOST_YEARS]:
        since = f"{year}-{day:%m-%d}"
        if not is_day(since):  # 29 February
            continue
        rows = connection.execute(_OF_DAY, (since, following(since))).fetchall()
        if rows:
            days[since] = [row[0] for row in rows]
    most_posts = max(1, min(most_posts, _MOST_ON_PAGE // max(1, len(days))))
    lists = [
        (ids[:most_posts], Filter(since=since, until=since)) for since, ids in days.items()
    ]  # fmt: skip
    shown = entries_of_lists(connection, lists)
    return [
        YearOfDay(since, len(ids), found, len(ids) > most_posts)
        for (since, ids), found in zip(days.items(), shown, strict=True)
    ]


_OF_DAY = """
    SELECT id FROM posts WHERE created_at >= ? AND created_at < ? ORDER BY created_at DESC, id
"""


async def memories(datasette: Any, request: Any) -> Any:
    """The posts of one day of the year in all years: today's, or that of `day`, such as 03-14."""
    archive = await archive_of(datasette, request)
    asked = _day(request.args.get("day"))
    today = datetime.now(UTC).astimezone().date()  # the reader is at this machine
    shown = asked or today

    def question(connection: sqlite3.Connection) -> list[YearOfDay]:
        return on_this_day(connection, archive, shown, before=today.year + (asked is not None))

    found = await ask(datasette, archive, question)
    context = {
        "years": found, "title": f"{shown.day} {NAMES[shown.month - 1]}", "is_today": not asked,
        "previous": shown - timedelta(days=1), "next": shown + timedelta(days=1),
        "total": sum(year.count for year in found),
    }  # fmt: skip
    return await page(datasette, request, archive, "memories", context)


def _day(text: str | None) -> date | None:
    """A day such as 03-14, or the same with a year before it; None where there is none."""
    parts = (text or "").split("-")
    try:
        return date(_LEAP_YEAR, int(parts[-2]), int(parts[-1]))
    except (ValueError, IndexError):
        return None


_LEAP_YEAR = 2024
