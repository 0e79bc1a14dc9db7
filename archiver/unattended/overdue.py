"""What rules of retention say is due, and nobody has disposed of: for messages and monitoring."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from archiver.human import counted
from archiver.retention.rules import due_counts
from archiver.settings import RetentionRule
from archiver.unattended.health import Concern, Severity

OVERDUE = timedelta(days=35)
"""So long may posts be due: somebody who disposes of them once a month is not late."""


def overdue_concerns(
    connection: sqlite3.Connection, rules: Sequence[RetentionRule], now: datetime
) -> Iterator[Concern]:
    """A concern for each rule by which posts are due, and free, for longer than `OVERDUE`."""
    for each in due_counts(connection, rules, now - OVERDUE):
        if each.free:
            text = (
                f"{counted(each.free, 'post')} due by the retention rule {each.rule.name} for "
                f"more than {OVERDUE.days} days"
            )
            yield Concern(f"retention:{each.rule.name}", Severity.WARNING, text)


def due_news(
    connection: sqlite3.Connection, rules: Sequence[RetentionRule], now: datetime
) -> Iterator[str]:
    """What is due, for the weekly digest: one sentence, or none."""
    counts = [each for each in due_counts(connection, rules, now) if each.free]
    if counts:
        found = sum(each.free for each in counts)
        by_rule = ", ".join(f"{each.free:,} by {each.rule.name}" for each in counts)
        yield f"due by retention rules: {counted(found, 'post')} ({by_rule})"
