"""Coverage as a calendar: a row per year, a cell per month."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup, escape

from archiver.browse.months import in_words, is_month
from archiver.human import counted


@dataclass(frozen=True, slots=True)
class Month:
    """One cell of the calendar."""

    month: str  # 2026-03
    posts: int
    state: str  # covered, gap, uncovered, future
    level: int  # 0 to 4, by the number of posts

    @property
    def label(self) -> str:
        """Such as "March 2026: 12 posts, complete"."""
        posts = counted(self.posts, "post")
        return f"{in_words(self.month)}: {posts}, {_STATE_LABELS[self.state]}"


@dataclass(frozen=True, slots=True)
class WholeYear:
    """A year as one cell, where its months would be too many."""

    year: str
    posts: int
    state: str  # covered, gap, uncovered
    level: int  # 0 to 4, by the number of posts

    @property
    def label(self) -> str:
        """Such as "12 posts, complete"."""
        return f"{counted(self.posts, 'post')}, {_STATE_LABELS[self.state]}"


_STATE_LABELS = {
    "covered": "complete", "gap": "gap", "uncovered": "not covered", "future": "in the future",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """A range of months, both ends included. An empty `since` has no lower bound."""

    since: str
    until: str

    def contains(self, month: str) -> bool:
        """Whether the month is in the range."""
        return self.since <= month <= self.until


def years(
    months: Mapping[str, int],
    covered: Iterable[Span],
    gaps: Iterable[Span],
    now: datetime,
    most_years: int,
) -> list[tuple[str, list[Month]]]:
    """The newest `most_years` years, newest first, each with its twelve months."""
    covered, gaps = list(covered), list(gaps)
    known = [month for month in months if is_month(month)]
    ends = [span.until for span in covered] + known
    starts = [span.since for span in covered if span.since] + known
    if not ends:
        return []
    current = max(f"{now.astimezone(UTC):%Y-%m}", *ends)
    first, last = int(min(starts or ends)[:4]), int(max(ends)[:4])
    top = max(months.values(), default=1)
    shown = []
    for year in range(last, max(first, last - most_years + 1) - 1, -1):
        cells = []
        for k in range(1, 13):
            month = f"{year:04}-{k:02}"
            state = _state(month, covered, gaps, current)
            count = months.get(month, 0)
            cells.append(Month(month, count, state, _level(count, top)))
        shown.append((f"{year:04}", cells))
    return shown


def years_before(
    months: Mapping[str, int], covered: Iterable[Span], gaps: Iterable[Span], first_shown: str
) -> list[WholeYear]:
    """Every year from the first with posts to the last before `first_shown`, newest first."""
    counts: Counter[str] = Counter()
    for month, count in months.items():
        if is_month(month) and month[:4] < first_shown:
            counts[month[:4]] += count
    if not counts:
        return []
    covered, gaps, top = list(covered), list(gaps), max(counts.values())
    found = []
    for number in range(int(first_shown) - 1, int(min(counts)) - 1, -1):
        year = f"{number:04}"
        span = Span(f"{year}-01", f"{year}-12")
        state = "uncovered"
        if any(gap.since <= span.until and span.since <= gap.until for gap in gaps):
            state = "gap"
        elif any(each.contains(span.since) and each.contains(span.until) for each in covered):
            state = "covered"
        found.append(WholeYear(year, counts[year], state, _level(counts[year], top)))
    return found


def _state(month: str, covered: list[Span], gaps: list[Span], last: str) -> str:
    if month > last:
        return "future"
    for span in gaps:  # any() takes three times as long, for each month of each account
        if span.contains(month):
            return "gap"
    for span in covered:
        if span.contains(month):
            return "covered"
    return "uncovered"


def _level(count: int, top: int) -> int:
    """0 for no posts, else 1 to 4: the quarter of `top` that the count is in."""
    return 0 if not count else max(1, min(4, -(-4 * count // top)))


def spans(connection: sqlite3.Connection) -> tuple[dict[int, list[Span]], dict[int, list[Span]]]:
    """The covered ranges and the gaps of the posts of each account, by account id."""
    covered: dict[int, list[Span]] = defaultdict(list)
    gaps: dict[int, list[Span]] = defaultdict(list)
    rows = connection.execute(
        "SELECT account_id, newest, oldest, reached_start FROM coverage "
        "WHERE stream = 'posts' AND newest IS NOT NULL"
    )
    for account, newest, oldest, reached_start in rows:
        since, until = (oldest or newest)[:7], newest[:7]
        if is_month(since) and is_month(until):
            covered[account].append(Span("" if reached_start else since, until))
    rows = connection.execute(
        "SELECT accounts.id, since, until FROM gaps JOIN accounts ON accounts.name = account "
        "WHERE stream = 'posts' AND since IS NOT NULL AND until IS NOT NULL"
    )
    for account, since, until in rows:
        gaps[account].append(Span(since[:7], until[:7]))
    return covered, gaps


def rows(years_shown: Iterable[tuple[str, list[Month]]], address: str) -> Markup:
    """The rows of the table as HTML; in a template they took as long as the rest of the page.

    A month with posts links to them, below `address`: the URL of the account's timeline. Everything
    else in the HTML is made here, of numbers and fixed words.
    """
    link = escape(address)
    lines = []
    for year, months in years_shown:
        lines.append(f'<tr><th scope="row">{year}</th>')
        for cell in months:
            label = cell.label
            inner = f'title="{label}"><span class="aside">{label}</span>'
            if cell.posts:
                to = f"{link}&amp;since={cell.month}&amp;until={cell.month}"
                inner = f'<a href="{to}" {inner}</a>'
            else:
                inner = f"<span {inner}</span>"
            lines.append(f'<td class="{cell.state} l{cell.level}">{inner}</td>')
        lines.append("</tr>")
    return Markup("".join(lines))  # noqa: S704 — see above
