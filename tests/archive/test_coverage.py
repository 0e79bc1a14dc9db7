"""What a page means for the range of a scan: pure decisions, over pages of every shape."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.archive.coverage import (
    MAX_PAGES_WITHOUT_NEW_POSTS,
    CoverageRange,
    CoverageTracker,
    story_range,
)
from archiver.archive.post_sources import UnchangedPost
from archiver.models import Page, Post, Record, timestamp
from archiver.reasons import Reason

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LIMIT = Reason("asked_limit", "--limit 2")


def at(number: int) -> str:
    """When a post was published: a higher number is older."""
    return timestamp(NOW - timedelta(hours=number)) or ""


def posts_of(numbers: Sequence[int]) -> list[Post]:
    return [Post(str(number), created_at=at(number)) for number in numbers]


class FakeSource:
    """A source whose pages are numbered; the cursor `"3"` asks for page 3."""

    def __init__(self, pages: Sequence[tuple[Sequence[int], int | None]]) -> None:
        self.pages = pages
        self.requests: list[str | None] = []

    def page(self, cursor: str | None) -> tuple[Page, list[Post]]:
        self.requests.append(cursor)
        numbers, onward = self.pages[int(cursor or 0)]
        page = Page(
            tuple(Record("{}", {}) for _ in numbers), reached_start=onward is None,
            cursor=None if onward is None else str(onward),
        )  # fmt: skip
        return page, posts_of(numbers)


class Archive:
    """Ranges and posts that were saved, as a run would have them."""

    def __init__(self) -> None:
        self.ranges: dict[int, CoverageRange] = {}
        self.posts: set[str] = set()

    def scan(
        self, source: FakeSource, *, full: bool = False, resumed: CoverageRange | None = None
    ) -> CoverageTracker:
        """Scan as a run does, until the tracker says that it is over."""
        known = [replace(range_) for range_ in self.ranges.values()]
        resumed = next((r for r in known if resumed and r.id == resumed.id), None)
        tracker = CoverageTracker(known, NOW, full=full, resumed=resumed)
        cursor = resumed.next if resumed else None
        while not tracker.is_over:
            page, posts = source.page(cursor)
            before = {post.platform_id for post in posts} & self.posts
            decision = tracker.advance(page, posts, before)
            self.posts.update(post.platform_id for post in posts)
            for row_id in decision.merged_ids:
                del self.ranges[row_id]
            if (range_ := decision.range_) is not None:
                range_.id = range_.id or max(self.ranges, default=0) + 1
                self.ranges[range_.id] = replace(range_)
            cursor = page.cursor
        return tracker

    def run(self, source: FakeSource, *, full: bool = False) -> bool:
        """Resume what is unfinished, then scan from the newest; whether a gap is left."""
        tried: set[int] = set()
        short = False
        while found := [r for r in self.ranges.values() if r.next and r.id not in tried]:
            newest = max(found, key=lambda range_: range_.newest or "")
            tried.add(newest.id)
            tracker = self.scan(source, resumed=newest)
            short |= tracker.is_limited_by_source and not tracker.has_reached_known_range
        tracker = self.scan(source, full=full)
        return short or (
            tracker.is_limited_by_source and (full or not tracker.has_reached_known_range)
        )


EMPTY_BETWEEN = [(range(10), 1), ([], 2), ([], 3), (range(10, 28), None)]


def test_empty_pages_with_new_cursors_are_followed() -> None:
    archive = Archive()
    assert not archive.run(FakeSource(EMPTY_BETWEEN), full=True)
    assert len(archive.posts) == 28
    assert [(r.reached_start, r.next) for r in archive.ranges.values()] == [(True, None)]


@given(st.lists(st.sampled_from(["empty", "known"]), max_size=30))
def test_any_row_of_pages_without_news_is_followed(between: list[str]) -> None:
    pages: list[tuple[Sequence[int], int | None]] = [(range(10), 1)]
    pages += [([] if kind == "empty" else range(10), len(pages) + n + 1)
              for n, kind in enumerate(between)]  # fmt: skip
    pages.append((range(10, 28), None))
    archive = Archive()
    assert not archive.run(FakeSource(pages), full=True)
    assert len(archive.posts) == 28


graphs = st.lists(
    st.tuples(st.lists(st.integers(0, 40), max_size=4, unique=True).map(sorted), st.integers(0, 9)),
    min_size=1, max_size=10,
)  # fmt: skip


@given(graphs, st.sets(st.integers(0, 9)), st.booleans())
def test_cursors_in_every_order_are_followed_once_each_and_no_circle_is_for_ever(
    graph: list[tuple[list[int], int]], ends: set[int], full: bool
) -> None:
    pages: list[tuple[Sequence[int], int | None]] = [
        (numbers, None if place in ends else onward % len(graph))
        for place, (numbers, onward) in enumerate(graph)
    ]
    source, archive = FakeSource(pages), Archive()
    short = archive.run(source, full=full)
    assert len(source.requests) == len(set(source.requests)), "no page is asked for twice"
    followed: list[int] = []
    onward = pages[0][1]
    while onward is not None and onward not in followed:
        followed.append(onward)
        onward = pages[onward][1]
    expected = {str(number) for place in [0, *followed] for number in pages[place][0]}
    assert archive.posts == expected, "what cursors lead to was read"
    (range_,) = archive.ranges.values()
    assert short is not range_.reached_start
    assert range_.reached_start or range_.next is not None or range_.reason is not None


def circle(*, mended: bool) -> FakeSource:
    """Ten posts, then pages that lead in a circle; where it is mended, they lead on to the rest."""
    last: tuple[Sequence[int], int | None] = (range(10, 20), 3) if mended else (range(10, 20), 1)
    return FakeSource([(range(10), 1), ([], 2), last, (range(20, 28), None)])


@pytest.mark.parametrize("full", [True, False])
def test_a_circle_of_cursors_is_partial_every_night_and_passed_as_soon_as_the_source_allows(
    full: bool,
) -> None:
    archive = Archive()
    assert archive.run(circle(mended=False), full=True)
    for _ in range(3):
        assert archive.run(circle(mended=False), full=full), "a run that tried and failed says so"
        assert [r.next is not None for r in archive.ranges.values()] == [True]
    assert not archive.run(circle(mended=True), full=full)
    assert len(archive.posts) == 28
    assert [(r.reached_start, r.next, r.reason) for r in archive.ranges.values()] == [
        (True, None, None)
    ]


def test_cursors_without_end_and_news_are_left_and_gone_on_with() -> None:
    pages: list[tuple[Sequence[int], int | None]] = [(range(10), 1)]
    pages += [([], number) for number in range(2, 3 * MAX_PAGES_WITHOUT_NEW_POSTS)]
    archive, source = Archive(), FakeSource(pages)
    tracker = archive.scan(source, full=True)
    assert tracker.is_limited_by_source
    assert len(source.requests) == MAX_PAGES_WITHOUT_NEW_POSTS + 1
    (range_,) = archive.ranges.values()
    assert range_.next == str(MAX_PAGES_WITHOUT_NEW_POSTS + 1)


def test_a_source_that_ends_short_leaves_a_gap_that_a_full_scan_reports() -> None:
    tracker = CoverageTracker([], NOW, full=True)
    tracker.advance(Page((), end_reason="shows only its newest 3 posts"), posts_of([1, 2, 3]), ())
    assert tracker.is_over
    assert tracker.is_limited_by_source
    known = replace(tracker.range_, id=1)
    again = CoverageTracker([known], NOW, full=True)
    decision = again.advance(
        Page((), end_reason="shows only its newest 3 posts"), posts_of([1, 2, 3]), {"1", "2", "3"}
    )
    assert again.is_limited_by_source
    assert decision.range_ is not None
    assert decision.range_.reason == Reason("source_limit", "shows only its newest 3 posts")
    assert decision.range_.id == 1


def test_what_the_user_asked_for_is_not_short() -> None:
    tracker = CoverageTracker([], NOW)
    tracker.advance(Page((), cursor="on"), posts_of([1, 2]), ())
    decision = tracker.stop(LIMIT)
    assert tracker.is_over
    assert not tracker.is_limited_by_source
    assert decision.range_ is not None
    assert (decision.range_.next, decision.range_.reason) == ("on", LIMIT)


def test_a_range_that_went_deeper_than_those_it_reached_keeps_its_own_end() -> None:
    old = CoverageRange(at(2), at(4), next="old", reason=Reason("asked_limit", "--limit 3"), id=7)
    tracker = CoverageTracker([old], NOW)
    decision = tracker.advance(Page((), cursor="deeper"), posts_of(range(1, 9)), {"2", "3", "4"})
    assert decision.range_ is not None
    assert (decision.range_.id, decision.range_.next) == (7, "deeper")
    assert (decision.range_.newest, decision.range_.oldest) == (at(1), at(8))


def test_a_record_whose_id_nobody_knows_makes_a_scan_incomplete() -> None:
    cases: list[tuple[list[str | None], bool]] = [(["5"], True), ([None], False)]
    for ids, complete in cases:
        tracker = CoverageTracker([], NOW)
        tracker.advance(Page((), reached_start=True), posts_of([1, 2]), (), ids)
        assert tracker.is_complete is complete
        assert ("5" in tracker.seen) is complete


def test_stories_a_day_apart_are_one_range_and_further_apart_a_gap() -> None:
    first = story_range([], NOW)
    first.id = 1
    assert story_range([first], NOW + timedelta(hours=24)).id == 1
    assert story_range([first], NOW + timedelta(hours=60)).id == 0


def test_the_rows_of_unchanged_posts_are_gathered_and_the_ids_of_all() -> None:
    tracker = CoverageTracker([], NOW)
    shown: list[Post | UnchangedPost] = [*posts_of([1]), UnchangedPost(7, "2", at(2), "post")]
    tracker.advance(Page((), cursor="1"), shown, {"2"})
    assert tracker.seen == {"1", "2"}
    assert list(tracker.recognised.unmarked([6, 7])) == [6]
