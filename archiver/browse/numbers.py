"""The page of numbers: posts per month, metrics per platform, the best posts, and what moved."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from archiver.browse.archives import Archive
from archiver.browse.cards import Card, cards
from archiver.browse.charts import BarChart, bar_chart, change
from archiver.browse.connections import own_connection
from archiver.browse.frame import COUNTING_MS, archive_of, ask, page
from archiver.browse.metric_totals import MetricChange, MetricTotals
from archiver.browse.months import is_month
from archiver.browse.text import number
from archiver.metric_names import COMMON_METRICS, metric_rank

SHOWN = (*COMMON_METRICS, "reach", "impressions")
"""The metrics that the page compares."""

_MOST_COLUMNS = 8
_MOST_LABELS = 8


@dataclass(frozen=True)
class Sum:
    """A metric of a platform: its sum, and by how much it moved since a week ago."""

    value: str
    change: str


@dataclass(frozen=True)
class PlatformRow:
    """One platform: its posts, and its metrics by name."""

    platform: str
    posts: int
    sums: Mapping[str, Sum]


@dataclass(frozen=True)
class Ranked:
    """A post with the value of the metric that it is listed for."""

    card: Card
    value: str
    change: str = ""


@dataclass(frozen=True)
class Numbers:
    """The content of the page."""

    platforms: list[str]  # of the archive
    months: BarChart | None
    counts: list[tuple[str, int]]  # posts of each month, the newest first
    metrics: list[str]  # names, in the order of the columns
    rows: list[PlatformRow]
    by: str  # the metric that the posts below are ranked by; empty for none
    best: list[Ranked]
    moved: list[Ranked]
    totals: MetricTotals


async def numbers(datasette: Any, request: Any) -> Any:
    """The page; `platform` restricts it, `by` is the metric that posts are ranked by."""
    archive = await archive_of(datasette, request)
    platform = request.args.get("platform") or ""
    by = request.args.get("by") or ""

    def question(connection: sqlite3.Connection) -> Numbers:
        totals = totals_of(datasette, archive, connection)
        return _collect(connection, archive, totals, platform, by)

    found = await ask(datasette, archive, question, COUNTING_MS)
    context = {"numbers": found, "platform": platform, "link": _link, "now": datetime.now(UTC)}
    return await page(datasette, request, archive, "numbers", context)


def totals_of(datasette: Any, archive: Archive, connection: sqlite3.Connection) -> MetricTotals:
    """All metrics of the archive, as they were counted last."""
    return archive.totals.get(connection, lambda: own_connection(datasette, archive.name))


def _link(**parameters: str) -> str:
    """The query of the same page with other parameters."""
    pairs = [(name, value) for name, value in parameters.items() if value]
    return f"?{urlencode(pairs)}" if pairs else "?"


def _collect(
    connection: sqlite3.Connection, archive: Archive, totals: MetricTotals, platform: str, by: str
) -> Numbers:
    rows = connection.execute("SELECT id, platform FROM accounts ORDER BY platform, id").fetchall()
    chosen = {row["id"]: row["platform"] for row in rows if platform in {"", row["platform"]}}
    months: Counter[str] = Counter()
    posts: Counter[str] = Counter()
    for (account, _, month), found in archive.tally.posts(connection).items():
        if account in chosen:
            months[month] += found
            posts[chosen[account]] += found
    metrics = _metrics(totals, chosen)
    by = by if by in metrics else next(iter(metrics), "")
    best = totals.best_posts(chosen, by)
    moved = totals.most_moved(chosen, by)
    known = _cards(connection, [post_id for post_id, _ in best], moved)
    counts = _all_months(months)
    return Numbers(
        platforms=sorted({row["platform"] for row in rows}),
        months=bar_chart(counts, _years(counts)) if counts else None,
        counts=counts[::-1],
        metrics=metrics,
        rows=[_row(totals, chosen, name, posts[name], metrics) for name in sorted(posts)],
        by=by,
        best=[Ranked(known[post], number(value)) for post, value in best if post in known],
        moved=[
            Ranked(known[one.post_id], number(one.now), change(one.before, one.now))
            for one in moved
            if one.post_id in known
        ],
        totals=totals,
    )


def _metrics(totals: MetricTotals, accounts: Mapping[int, str]) -> list[str]:
    """The names of the metrics that these accounts have, the common ones first."""
    names = {name for account, name in totals.posts if account in accounts and name in SHOWN}
    return sorted(names, key=lambda name: (metric_rank(name), name))[:_MOST_COLUMNS]


def _row(
    totals: MetricTotals, accounts: Mapping[int, str], platform: str, posts: int,
    metrics: Sequence[str],
) -> PlatformRow:  # fmt: skip
    own = [account for account, name in accounts.items() if name == platform]
    sums = {}
    for name in metrics:
        if any(totals.posts[account, name] for account in own):
            now = sum(totals.sums[account, name] for account in own)
            before = sum(totals.sums_before[account, name] for account in own)
            sums[name] = Sum(number(now), change(before, now) if before else "")
    return PlatformRow(platform, posts, sums)


def _cards(
    connection: sqlite3.Connection, best: Sequence[int], moved: Sequence[MetricChange]
) -> dict[int, Card]:
    ids = list(dict.fromkeys([*best, *(one.post_id for one in moved)]))
    return {card.id: card for card in cards(connection, ids)}


def _all_months(months: Mapping[str, int]) -> list[tuple[str, int]]:
    """Every month from the first to the last with posts, those without posts too."""
    known = sorted(month for month in months if is_month(month))
    if not known:
        return []
    first, last = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (known[0], known[-1]))
    names = [f"{k // 12:04}-{k % 12 + 1:02}" for k in range(max(first, last - 1200), last + 1)]
    return [(name, months.get(name, 0)) for name in names]


def _years(counts: Sequence[tuple[str, int]]) -> list[tuple[int, str]]:
    """The years below the bars: as many as there is room for."""
    found = [(k, name[:4]) for k, (name, _) in enumerate(counts) if name.endswith("-01")]
    if not found:
        return [(0, counts[0][0])]
    return found[:: -(-len(found) // _MOST_LABELS)]
