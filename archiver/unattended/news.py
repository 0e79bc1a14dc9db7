"""What a run changed, in counts: for messages after a run, and for the weekly digest."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta

from archiver.archive.runs import IS_BACKUP, Counts
from archiver.human import counted, parse_time


def run_news(connection: sqlite3.Connection) -> list[str]:
    """What the last run found removed or withheld, by account."""
    query = f"""
        SELECT name, sum(removed), sum(omitted) FROM run_accounts
         WHERE run_id = (SELECT max(id) FROM runs WHERE {IS_BACKUP}) AND removed + omitted > 0
         GROUP BY name ORDER BY name
    """
    return [
        f"{name}: " + ", ".join(_parts(removed, omitted))
        for name, removed, omitted in connection.execute(query)
    ]


def _parts(removed: int, omitted: int) -> Iterator[str]:
    if removed:
        yield f"{counted(removed, 'post')} removed"
    if omitted:
        yield f"{counted(omitted, 'file')} omitted by the platform"


def break_before(connection: sqlite3.Connection, late_after: timedelta) -> str | None:
    """That no backup ran for a long time before the last one; None where one did."""
    query = f"SELECT started_at FROM runs WHERE {IS_BACKUP} ORDER BY id DESC LIMIT 2"
    times = [parse_time(moment) for (moment,) in connection.execute(query)]
    last, before = (*times, None, None)[:2]
    if last is None or before is None or last - before <= late_after:
        return None
    return f"no backup ran for {counted((last - before).days, 'day')} before this one"


def digest(connection: sqlite3.Connection, since: datetime) -> str:
    """The counts of all runs that began since a time, as a sentence."""
    columns = ", ".join(f"coalesce(sum({name}), 0)" for name in Counts().columns())
    query = f"SELECT count(*), {columns} FROM runs WHERE started_at >= ?"
    runs, *numbers = connection.execute(query, (since.isoformat(),)).fetchone()
    counts = Counts(*numbers)
    return (
        f"the last week: {counted(runs, 'run')}, {counted(counts.new, 'new post')}, "
        f"{counts.edited:,} edited, {counts.removed:,} removed, "
        f"{counted(counts.stored, 'new file')}, {counts.omitted:,} omitted"
    )
