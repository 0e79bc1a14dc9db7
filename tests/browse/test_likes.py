"""The order of posts by their likes, whatever those are."""

from itertools import chain

import pytest

from archiver.browse.filters import Cursor
from archiver.browse.likes import NOT_KNOWN, LikeRanking, capped

RANKING = LikeRanking.of([NOT_KNOWN, 5.0, NOT_KNOWN, 0.0, 1e18, 0.5, 5.0], range(1, 7))
IN_ORDER = [4, 1, 6, 5, 3, 2]


def read(
    start: Cursor | None, *, upwards: bool = False, ranking: LikeRanking = RANKING
) -> list[int]:
    return list(chain.from_iterable(ranking.chunks(start, upwards=upwards)))


def test_equally_liked_posts_are_in_the_order_of_their_ids_and_unknown_ones_last() -> None:
    assert read(None) == IN_ORDER
    assert read(None, upwards=True) == IN_ORDER[::-1]


@pytest.mark.parametrize("place", range(6))
def test_reading_goes_on_beyond_any_post_in_both_directions(place: int) -> None:
    cursor = Cursor.parse(str(RANKING.cursor(IN_ORDER[place])))
    assert cursor
    assert read(cursor) == IN_ORDER[place + 1 :]
    assert read(cursor, upwards=True) == IN_ORDER[:place][::-1]


def test_a_place_of_another_order_is_the_beginning() -> None:
    assert read(Cursor("2026-03-01T00:00:00.000Z", 3)) == IN_ORDER


def test_posts_that_came_after_the_count_have_no_place_yet() -> None:
    assert read(None, ranking=RANKING.only([3, 900, 4])) == [4, 3]
    assert RANKING.cursor(900) == Cursor("-1", 900)


def test_a_long_list_is_read_in_chunks_that_lose_nothing() -> None:
    ranking = LikeRanking.of([float(k % 7) for k in range(30_000)], range(1, 30_000))
    chunks = list(ranking.chunks(None, upwards=False))
    assert [len(chunk) for chunk in chunks][:3] == [200, 400, 800]
    assert sorted(chain.from_iterable(chunks)) == list(range(1, 30_000))
    assert read(None, ranking=ranking) == read(None, upwards=True, ranking=ranking)[::-1]


@pytest.mark.parametrize(("told", "kept"), [(-3, 0), (float("inf"), 1e18), (12.5, 12.5)])
def test_likes_that_cannot_be_are_brought_to_what_can_be_written(told: float, kept: float) -> None:
    assert capped(told) == kept
