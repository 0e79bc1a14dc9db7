"""Charts that do not exaggerate."""

import re

import pytest

from archiver.browse.charts import HEIGHT, change, chart, large_chart

DAYS = [f"2026-03-{day:02}T09:00:00.000Z" for day in range(1, 29)]


def heights(path: str) -> list[float]:
    """How far down each step of a line is."""
    first = re.match(r"M[\d.]+,([\d.]+)", path)
    assert first
    return [float(first[1]), *(float(y) for y in re.findall(r"V([\d.]+)", path))]


def points(*values: float) -> list[tuple[str, float]]:
    return list(zip(DAYS, values, strict=False))


def test_one_more_of_ten_million_is_drawn_level() -> None:
    drawn = chart("views", points(9_876_543, 9_876_544), DAYS[5])
    first, last = heights(drawn.path)
    assert abs(first - last) <= 0.1
    assert drawn.change == "+1 (0.00001 %)"


def test_a_small_chart_begins_at_zero() -> None:
    first, last = heights(chart("likes", points(50, 100), DAYS[5]).path)
    assert (HEIGHT - 4 - first) * 2 == pytest.approx(HEIGHT - 4 - last, abs=0.2)


def test_negative_values_hang_below_zero() -> None:
    drawn = chart("balance", points(-10, 10), DAYS[5])
    first, last = heights(drawn.path)
    zero = float(drawn.area.removeprefix(drawn.path).removeprefix("V").partition("H")[0])
    assert first > zero > last


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(0, 3, "+3"), (3, 3, ""), (200, 150, "−50 (25 %)"), (1, 1000, "+999 (99,900 %)"),
     (1000, 1015, "+15 (1.5 %)"), (9_876_543, 9_876_544, "+1 (0.00001 %)"),
     (-10, 10, "+20 (200 %)"), (0.25, 0.5, "+0.25 (100 %)")],
)  # fmt: skip
def test_a_change_has_its_percentage(first: float, last: float, said: str) -> None:
    assert change(first, last) == said


def test_a_large_chart_begins_at_zero_where_that_shows_the_change() -> None:
    drawn = large_chart(points(100, 150, 400), DAYS[9])
    assert drawn.values[0][1] == "0"
    assert drawn.area
    assert drawn.note == ""


def test_a_cut_axis_has_no_area_and_says_so() -> None:
    drawn = large_chart(points(9_876_543, 9_876_549), DAYS[9])
    assert drawn.area == ""
    assert re.fullmatch(r"The axis begins at 9,876,54\d, not at 0\.", drawn.note)
    labels = [label for _, label in drawn.values]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    "values", [(0, 0), (5, 5), (0,), (7,), (0, 1), (-3, -3), (0.1, 0.7), (1e15, 3e15)]
)
def test_a_large_chart_has_a_few_round_values_and_all_lies_within(
    values: tuple[float, ...],
) -> None:
    drawn = large_chart(points(*values), DAYS[9])
    assert 2 <= len(drawn.values) <= 6
    assert all(0 <= y <= 300 for y in heights(drawn.path))
    assert all(0 <= y <= 300 for y, _ in drawn.values)


def test_dates_stand_at_the_axis_each_once() -> None:
    assert [label for _, label in large_chart(points(1, 2), DAYS[12]).dates] == [
        "1 March 2026", "5 March 2026", "10 March 2026",
    ]  # fmt: skip
    hours = [("2026-03-01T09:00:00Z", 1.0), ("2026-03-01T10:00:00Z", 2.0)]
    assert [label for _, label in large_chart(hours, hours[-1][0]).dates] == ["1 March 2026"]


def test_times_that_are_none_and_one_value_are_drawn_too() -> None:
    assert large_chart([("soon", 1.0), ("later", 2.0)], "never").path
    assert not chart("likes", points(1), DAYS[0]).has_changed
