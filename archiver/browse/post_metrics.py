"""The metrics of one post over time: small charts for its page, and a page with a large one."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import NotFound

from archiver.browse.cards import Card, cards
from archiver.browse.charts import Chart, LargeChart, chart, large_chart
from archiver.browse.frame import archive_of, ask, page

_Series = Mapping[tuple[int, str], list[tuple[str, float]]]
"""Times and values by attachment (0: the post itself) and name of the metric."""


@dataclass(frozen=True)
class MetricPage:
    """One metric of a post, large."""

    card: Card
    chart: Chart
    large: LargeChart


def post_charts(connection: sqlite3.Connection, post_id: int) -> dict[int, list[Chart]]:
    """Every metric of the post (key 0) and of its attachments (key: their id), over time."""
    series = _series(connection, post_id)
    until = _last_time(series)
    found: dict[int, list[Chart]] = defaultdict(list)
    for (attachment, name), points in series.items():
        found[attachment].append(chart(name, points, until, attachment))
    for group in found.values():
        group.sort(key=lambda one: (not one.has_changed, one.rank, one.title))
    return found


async def metric(datasette: Any, request: Any) -> Any:
    """A metric of a post with dates and values at its axes; `name` and `attachment` say which."""
    archive = await archive_of(datasette, request)
    post_id = int(request.url_vars["post"])
    attachment = request.args.get("attachment") or "0"
    wanted = (attachment, request.args.get("name") or "")

    def question(connection: sqlite3.Connection) -> MetricPage | None:
        series = _series(connection, post_id)
        found = next((key for key in series if (str(key[0]), key[1]) == wanted), None)
        if found is None:
            return None
        (card,) = cards(connection, [post_id])
        points, until = series[found], _last_time(series)
        small = chart(found[1], points, until, found[0])
        return MetricPage(card, small, large_chart(points, until))

    shown = await ask(datasette, archive, question)
    if shown is None:
        raise NotFound("The post has no such metric")
    return await page(datasette, request, archive, "metric", {"shown": shown})


def _series(connection: sqlite3.Connection, post_id: int) -> _Series:
    series: dict[tuple[int, str], list[tuple[str, float]]] = defaultdict(list)
    rows = connection.execute(
        "SELECT attachment_id, name, seen_at, value FROM metrics WHERE post_id = ? "
        "ORDER BY attachment_id, name, seen_at",
        (post_id,),
    )
    for attachment, name, seen_at, value in rows:
        if isinstance(value, int | float):
            series[attachment, name].append((seen_at, value))
    return series


def _last_time(series: _Series) -> str:
    return max((points[-1][0] for points in series.values()), default="")
