"""The scoreboard's own arithmetic: what is left out is left out evenly."""

from itertools import pairwise

import pytest

from torture.scoreboard import Tally, attempt, page, spread


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


def test_the_table_says_how_many_moments_there_were_and_which_rules_were_found_out() -> None:
    table = {"": {"SIGKILL": Tally(9, 9)}, "no fsync": {"SIGKILL": Tally(9, 9, 2)}}

    text = page({("tiny", "SIGKILL"): Tally(10, 5)}, table, [("a film", 46)], "make it")

    assert "| tiny | SIGKILL | 10 | 5 (50%) | 5 |" in text
    assert "| no fsync | **2 of 9** |" in text
