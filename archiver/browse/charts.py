"""Metrics over time as small step charts: a value holds until another one is observed."""

from dataclasses import dataclass

from archiver.browse.cards import HEADLINES
from archiver.browse.text import day, metric_name, number
from archiver.human import parse_time

WIDTH, HEIGHT, _MARGIN = 240, 48, 4


@dataclass(frozen=True)
class Chart:
    """One metric: its newest value, and its line if it changed. Coordinates in SVG units."""

    name: str
    last: str
    points: tuple[tuple[str, str], ...]  # time and value, oldest first
    path: str = ""
    area: str = ""
    label: str = ""
    span: str = ""

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
        return HEADLINES.index(self.name) if self.name in HEADLINES else len(HEADLINES)


def chart(name: str, points: list[tuple[str, float]], until: str) -> Chart:
    """Draw a number from its times and values, oldest first, up to the last scan."""
    said = tuple((seen_at, number(value)) for seen_at, value in points)
    times = [moment.timestamp() if (moment := parse_time(at)) else 0.0 for at, _ in points]
    end = moment.timestamp() if (moment := parse_time(until)) else times[-1]
    end += (end - times[0]) / 12  # so that the newest value is visible as a line
    if len(points) < 2 or times[-1] <= times[0]:
        return Chart(name, said[-1][1], said)
    values = [float(value) for _, value in points]
    low, high = min(values), max(values)
    steps = []
    for at, value in zip(times, values, strict=True):
        x = _MARGIN + (at - times[0]) / (end - times[0]) * (WIDTH - 2 * _MARGIN)
        y = HEIGHT - _MARGIN - (value - low) / ((high - low) or 1) * (HEIGHT - 2 * _MARGIN)
        steps.append((round(x, 1), round(y, 1)))
    path = f"M{steps[0][0]},{steps[0][1]}" + "".join(f"H{x}V{y}" for x, y in steps[1:])
    path += f"H{WIDTH - _MARGIN}"
    area = f"{path}V{HEIGHT}H{steps[0][0]}Z"
    label = (
        f"{metric_name(name)}: from {said[0][1]} on {day(points[0][0])} "
        f"to {said[-1][1]} on {day(points[-1][0])}"
    )
    span = f"{said[0][1]} on {day(points[0][0])}"
    return Chart(name, said[-1][1], said, path, area, label, span)
