"""How long the disk will last, by what past runs have fetched.

The median of the last weeks is what a usual week brings; a new account does not change it much. The
busiest week is given beside it, since the future may be like that one. Only files are counted, not
the database, and not what other programs write.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from archiver.human import counted, parse_time, size_text
from archiver.unattended.health import Concern, Severity

_WEEK = timedelta(days=7)
_WEEKS = 12
_LEAST_WEEKS = 4
_SOON = 4  # weeks
_FAR = 520  # weeks: nobody knows what is in ten years


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes that runs have received in a week: usually, and in the busiest of `weeks`."""

    usual: int
    busiest: int
    weeks: int


def growth(connection: sqlite3.Connection, now: datetime) -> Growth | None:
    """The growth of the last 12 weeks; None where there are less than four to judge by.

    The first run fetched what is there since years, and does not count.
    """
    since = (now - _WEEKS * _WEEK).isoformat()
    query = """
        SELECT started_at, bytes FROM runs
         WHERE started_at >= ? AND id > (SELECT min(id) FROM runs) ORDER BY id
    """
    found = [
        (moment, size)
        for text, size in connection.execute(query, (since,))
        if (moment := parse_time(text)) is not None and moment <= now
    ]
    if not found:
        return None
    weeks = int((now - min(moment for moment, _ in found)) / _WEEK)
    if weeks < _LEAST_WEEKS:
        return None
    sums = [0] * weeks
    for moment, size in found:
        number = int((now - moment) / _WEEK)
        if number < weeks:  # a part of a week would count as a whole one
            sums[number] += size
    return Growth(int(median(sums)), max(sums), weeks)


def weeks_left(room: int, weekly: int) -> int | None:
    """How many weeks the room (bytes) lasts; None where that is longer than ten years."""
    if weekly <= 0 or room / weekly > _FAR:
        return None
    return int(max(0, room) / weekly)


def forecast_concerns(found: Growth | None, room: int) -> Iterator[Concern]:
    """A warning where the room (bytes) is over in less than four usual weeks."""
    if found is None:
        return
    weeks = weeks_left(room, found.usual)
    if weeks is not None and weeks < _SOON:
        text = f"the disk has room for {counted(weeks, 'week')} of new files, by the usual week"
        yield Concern("room", Severity.WARNING, text)


def forecast_text(found: Growth | None, room: int) -> str:
    """How long the room (bytes) lasts, and how sure that is."""
    if found is None:
        return "How long it lasts can be said after five weeks of runs."
    usual, busiest = (weeks_left(room, size) for size in (found.usual, found.busiest))
    return (
        f"By the last {found.weeks} weeks, it lasts {_long(usual)} at the usual "
        f"{size_text(found.usual)} a week, and {_long(busiest)} at the {size_text(found.busiest)} "
        "of the busiest. The database, and what other programs write, are not in that."
    )


def _long(weeks: int | None) -> str:
    return "more than ten years" if weeks is None else f"about {counted(weeks, 'week')}"
