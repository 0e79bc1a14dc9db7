"""The scoreboard's own arithmetic: what is left out is left out evenly, and where figures go."""

from itertools import pairwise
from pathlib import Path

import click
import pytest

from torture.scoreboard import AREA, Tally, attempt, page, spread, write_into


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 1000])
def test_every_moment_has_its_turn_once(count: int) -> None:
    assert sorted(spread(range(count))) == list(range(count))


def test_any_beginning_is_spread_over_the_whole() -> None:
    first = sorted(list(spread(range(1000)))[:16])

    assert max(later - earlier for earlier, later in pairwise(first)) <= 128


def test_what_is_found_counts_and_what_was_not_reached_does_not() -> None:
    trials = iter([("a", list), ("b", lambda: ["lost"]), ("c", lambda: None)])
    tally = Tally(there=3)

    attempt(tally, trials, until=float("inf"))

    assert (tally.tried, tally.bad, tally.missed, tally.told) == (2, 1, 1, ["b: lost"])


def test_figures_go_into_their_place_and_nowhere_else(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(
        f"Before\n<!-- figures: {AREA} -->\nold\n<!-- end of figures: {AREA} -->\nAfter\n"
    )
    table = {"": {"SIGKILL": Tally(9, 9)}, "no fsync": {"SIGKILL": Tally(9, 9, 2)}}

    write_into(path, page({("tiny", "SIGKILL"): Tally(10, 5)}, table, [("a film", 46)], "make it"))

    text = path.read_text()
    assert "old" not in text
    assert text.startswith("Before\n")
    assert text.endswith("After\n")
    assert "| tiny | SIGKILL | 10 | 5 (50%) | 5 |" in text
    assert "| no fsync | **2 of 9** |" in text


def test_a_page_without_a_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("Nothing here\n")

    with pytest.raises(click.ClickException):
        write_into(path, "figures")
