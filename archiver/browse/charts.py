"""Metrics over time as step charts: a value holds until another one is observed.

A small chart has the whole height of its values: its axis begins at 0, and the area below the line
is filled. Where a large chart would show nothing that way, since its values differ by little, its
axis is cut: then it is a line without an area, and says so.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from archiver.browse.text import day, number
from archiver.human import parse_time
from archiver.metric_names import metric_name, metric_rank

Points = Sequence[tuple[str, float]]
"""Times (ISO 8601, UTC) and values, the oldest first."""

WIDTH, HEIGHT, _MARGIN = 240, 48, 4
LARGE_WIDTH, LARGE_HEIGHT = 1000, 300
_TOP, _BOTTOM = 20, 24  # of a large chart: room for a label above, and for the dates below
_CUT_BELOW = 0.1  # values that differ by less than this part of the largest are flat from 0
_MOST_DOTS = 60
_BAR = 0.8  # of the room for a bar is filled
_DATES = 3  # as many as a phone has room for


@dataclass(frozen=True)
class Chart:
    """One metric: its newest value, and its line if it changed. Coordinates in SVG units."""

    name: str
    attachment: int  # 0: of the post itself
    last: str
    points: tuple[tuple[str, str], ...]  # time and value, oldest first
    path: str = ""
    area: str = ""
    label: str = ""
    span: str = ""
    change: str = ""

    @property
    def title(self) -> str:
        """The name of the metric in words."""
        return metric_name(self.name)

    @property
    def has_changed(self) -> bool:
        """Whether there is a line to draw."""
        return bool(self.path)

    @property
    def rank(self) -> int:
        """A sort key that puts common metrics first."""
        return metric_rank(self.name)


@dataclass(frozen=True)
class LargeChart:
    """One metric with its axes. Heights are in pixels, places across in percent of the width."""

    path: str
    area: str  # empty where the axis is cut
    note: str  # what is to be known of the axis; empty where it begins at 0
    values: tuple[tuple[float, str], ...]  # height and label of each line across
    dates: tuple[tuple[float, str], ...]  # place and label
    dots: tuple[tuple[float, float, str], ...]  # place, height and label of each observation


@dataclass(frozen=True)
class Bar:
    """One bar: its place and width in percent of the width, its top and height in pixels."""

    x: float
    width: float
    y: float
    height: float
    name: str
    value: int


@dataclass(frozen=True)
class BarChart:
    """Counts side by side, from 0."""

    bars: tuple[Bar, ...]
    values: tuple[tuple[float, str], ...]  # height and label of each line across
    names: tuple[tuple[float, str], ...]  # place and label below


@dataclass(frozen=True)
class _Frame:
    """The times and values that a chart shows, and where it draws them."""

    start: float  # seconds since 1970
    end: float
    low: float
    high: float
    left: float
    right: float
    top: float
    bottom: float

    def x(self, moment: float) -> float:
        """The horizontal position of a time, in pixels."""
        part = (moment - self.start) / ((self.end - self.start) or 1)
        return round(self.left + part * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        """The vertical position of a value, in pixels from the top."""
        part = (value - self.low) / ((self.high - self.low) or 1)
        return round(self.bottom - part * (self.bottom - self.top), 1)

    def path(self, times: Sequence[float], points: Points) -> str:
        """The line of steps, to the end."""
        steps = [(self.x(at), self.y(value)) for at, (_, value) in zip(times, points, strict=True)]
        line = f"M{steps[0][0]},{steps[0][1]}" + "".join(f"H{x}V{y}" for x, y in steps[1:])
        return f"{line}H{self.x(self.end)}"

    def area(self, path: str) -> str:
        """What lies between a line and the height of 0."""
        return f"{path}V{self.y(0)}H{self.x(self.start)}Z"


def chart(name: str, points: Points, until: str, attachment: int = 0) -> Chart:
    """A small chart of a metric, up to the last scan."""
    shown = tuple((seen_at, number(value)) for seen_at, value in points)
    times = _times(points)
    if len(points) < 2 or times[-1] <= times[0]:
        return Chart(name, attachment, shown[-1][1], shown)
    values = [value for _, value in points]
    frame = _Frame(
        times[0], _end(times, until), min(0, *values), max(0, *values),
        _MARGIN, WIDTH - _MARGIN, _MARGIN, HEIGHT - _MARGIN,
    )  # fmt: skip
    path = frame.path(times, points)
    first, last = points[0], points[-1]
    return Chart(
        name, attachment, shown[-1][1], shown, path, frame.area(path),
        label=f"{metric_name(name)}: from {number(first[1])} on {day(first[0])} "
        f"to {number(last[1])} on {day(last[0])}",
        span=f"{number(first[1])} on {day(first[0])}",
        change=change(first[1], last[1]),
    )  # fmt: skip


def large_chart(points: Points, until: str) -> LargeChart:
    """A chart of a metric with its axes, up to the last scan; of one value, a level line."""
    times = _times(points)
    values = [value for _, value in points]
    low, high = min(values), max(values)
    is_cut = low > 0 and 0 < high - low < _CUT_BELOW * high
    ticks = _ticks(low if is_cut else min(0.0, low), high if high > 0 else 0.0)
    frame = _Frame(
        times[0], _end(times, until), ticks[0], ticks[-1],
        0, LARGE_WIDTH, _TOP, LARGE_HEIGHT - _BOTTOM,
    )  # fmt: skip
    path = frame.path(times, points)
    dots = [
        (frame.x(at) / LARGE_WIDTH * 100, frame.y(value), f"{number(value)} on {day(seen_at)}")
        for at, (seen_at, value) in zip(times, points, strict=True)
    ]
    return LargeChart(
        path, "" if is_cut else frame.area(path),
        note=f"The axis begins at {number(ticks[0])}, not at 0." if is_cut else "",
        values=tuple((frame.y(tick), number(tick)) for tick in ticks),
        dates=tuple(_dates(frame)),
        dots=tuple(dots) if len(dots) <= _MOST_DOTS else (),
    )  # fmt: skip


def bar_chart(counts: Sequence[tuple[str, int]], labels: Sequence[tuple[int, str]]) -> BarChart:
    """A bar for each name and count; `labels` are texts below, each at the number of a bar."""
    top = _ticks(0, max((count for _, count in counts), default=1))
    scale = (LARGE_HEIGHT - _TOP - _BOTTOM) / top[-1]
    step = 100 / (len(counts) or 1)
    floor = LARGE_HEIGHT - _BOTTOM
    bars = [
        Bar(round(k * step, 3), round(step * _BAR, 3), round(floor - count * scale, 1),
            round(count * scale, 1), name, count)
        for k, (name, count) in enumerate(counts)
    ]  # fmt: skip
    return BarChart(
        tuple(bars),
        tuple((round(floor - tick * scale, 1), number(tick)) for tick in top),
        tuple((round(k * step, 3), label) for k, label in labels),
    )


def change(first: float, last: float) -> str:
    """The difference of two values, and what part of the first it is; empty where it is none.

    >>> change(9_876_543, 9_876_544), change(0, 3), change(200, 150)
    ('+1 (0.00001 %)', '+3', '−50 (25 %)')
    """
    if first == last:
        return ""
    sign = "+" if last > first else "−"
    difference = f"{sign}{number(abs(last - first))}"
    return (
        f"{difference} ({_percent(abs((last - first) / first) * 100)} %)" if first else difference
    )


def _percent(part: float) -> str:
    """A percentage with the digits that say something."""
    if part >= 10:
        return f"{part:,.0f}"
    digits = max(1, -math.floor(math.log10(part)))
    return f"{part:.{min(digits, 12)}f}".removesuffix(".0")


def _times(points: Points) -> list[float]:
    return [moment.timestamp() if (moment := parse_time(at)) else 0.0 for at, _ in points]


def _end(times: Sequence[float], until: str) -> float:
    """A little after the last scan, so that the newest value is visible as a line."""
    moment = parse_time(until)
    end = max(moment.timestamp() if moment else 0.0, times[-1])
    return end + ((end - times[0]) / 12 or 1)


def _ticks(low: float, high: float) -> list[float]:
    """Round values from `low` or below to `high` or above, at equal distances; three to six."""
    span = (high - low) or abs(high) or 1.0
    size: float = 10 ** math.floor(math.log10(span / 3))
    step = next(size * part for part in (1, 2, 5, 10) if span / (size * part) <= 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(k * step, 12) for k in range(first, max(last, first + 1) + 1)]


def _dates(frame: _Frame) -> Iterator[tuple[float, str]]:
    """The days at equal distances, each once."""
    seen = set()
    for k in range(_DATES):
        moment = frame.start + (frame.end - frame.start) * k / _DATES
        label = day(datetime.fromtimestamp(moment, UTC).isoformat())
        if label not in seen:
            yield round(k / _DATES * 100, 1), label
        seen.add(label)
