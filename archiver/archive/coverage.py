"""Computing which ranges of an account's history are complete.

A range reaches from its newest post down to its oldest. A scan from the newest post has reached a
known range when it sees, in order, a post of that range: everything newer has then been read.
Between two ranges is a gap, until a scan closes it. Nothing here reads or writes the database: a
page goes in, a `Decision` about rows comes out (see `coverage_rows`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct

from archiver.archive.post_sources import UnchangedPost
from archiver.archive.row_marks import RowMarks
from archiver.models import EXPIRING_KINDS, STORY_LIFE, Page, Post, time_text, timestamp
from archiver.reasons import Reason

REQUESTED_BY_USER = frozenset({"asked_limit", "asked_since"})
"""Reason codes of scans that ended where the user's options say."""

MAX_PAGES_WITHOUT_NEW_POSTS = 100
"""After so many pages in a row without a new post, a scan ends: each costs a request."""

_CURSOR_LOOP = Reason(
    "repeated_pages", "the source repeats itself: its cursors form a loop"
)  # fmt: skip
_NO_NEW_POSTS = Reason(
    "repeated_pages",
    f"the source repeats itself: {MAX_PAGES_WITHOUT_NEW_POSTS} pages in a row had no new post",
)
_STORY_SLACK = timedelta(hours=1)  # a nightly run is never exactly a day after the last
_LAST_TIMES = 10


@dataclass(slots=True)
class CoverageRange:
    """One row of `coverage`; `id` is 0 until it is saved.

    `next` is the cursor by which a later run tries to go on below `oldest`.
    """

    newest: str | None = None
    oldest: str | None = None
    reached_start: bool = False
    next: str | None = None
    reason: Reason | None = None
    id: int = 0


class Decision(Struct, frozen=True):
    """What to write: a range (None for nothing), and the ids of the rows that it now includes."""

    range_: CoverageRange | None = None
    merged_ids: tuple[int, ...] = ()


class CoverageTracker:
    """A scan down an account's posts, page by page, and the range that it covers.

    `ranges` are those known before. `resumed`, one of them, is continued at its `next`; without it
    the scan begins at the newest post. `full` does not end at known ranges. `seen` gathers the ids
    of all posts that the scan has shown, `recognised` the rows of those that are unchanged. A post
    dated after `now` says nothing of how far down the scan is: one such post would always be the
    newest, in a range that contains every later time.
    """

    def __init__(
        self, ranges: Iterable[CoverageRange], now: datetime, *, full: bool = False,
        resumed: CoverageRange | None = None,
    ) -> None:  # fmt: skip
        self._now = time_text(now)
        self._full = full
        self._from_top = resumed is None
        self._others = [range_ for range_ in ranges if range_ != resumed]
        self._reached: list[CoverageRange] = []
        self._last_times: list[str] = []
        self._cursor = resumed.next if resumed else None
        self._followed = {self._cursor}
        self._pages_without_new_posts = 0
        self._has_unidentified = False
        self._merged_ids: list[int] = []
        self.range_ = resumed or CoverageRange()
        self.seen: set[str] = set()
        self.recognised = RowMarks()
        self.is_over = False
        self.is_partial = False
        self.is_ordered = True
        self.is_authoritative = True
        self.is_confirmed = False
        self.has_reached_known_range = False

    @property
    def is_complete(self) -> bool:
        """Whether everything from the newest post down to where it ended was read.

        Where the order is not that of times, that is known only when everything was.
        """
        is_whole = self._from_top and (self.is_ordered or self.range_.reached_start)
        return is_whole and self.is_over and not self.is_partial and not self._has_unidentified

    @property
    def has_covered_all(self) -> bool:
        """Whether everything newer than a known range, or everything at all, was read."""
        return self.range_.reached_start or self.has_reached_known_range

    @property
    def is_limited_by_source(self) -> bool:
        """Whether older posts may exist that the source did not let this scan reach."""
        range_ = self.range_
        return (
            self.is_over
            and not self.is_partial
            and not range_.reached_start
            and range_.reason is not None
            and range_.reason.code not in REQUESTED_BY_USER
        )

    def floor(self) -> str | None:
        """The time above which every post would have been seen; None where all would.

        Taken from the newest of the last posts seen, so that one out of order cannot lower it.
        """
        if self.range_.reached_start and not self.has_reached_known_range:
            return None
        return max(self._last_times) if self._last_times and self.is_ordered else "9999"

    def advance(
        self, page: Page, posts: Sequence[Post | UnchangedPost], known: Collection[str],
        unreadable: Iterable[str | None] = (),
    ) -> Decision:  # fmt: skip
        """Take one page into account; the decision is saved in the page's transaction.

        `posts` are in page order, `known` the ids of those that the archive had before.
        `unreadable` are the ids of records in quarantine, None where even that is unknown.
        """
        self.is_partial |= page.partial
        self.is_ordered &= page.ordered
        self.is_authoritative &= page.authoritative
        self._add_seen(posts, unreadable)
        ordered: Sequence[Post | UnchangedPost] = [
            post for post in posts
            if post.kind not in EXPIRING_KINDS and (post.created_at or "") <= self._now
        ]  # fmt: skip
        if self.is_ordered:
            ordered = drop_out_of_order(ordered)
        times = [post.created_at for post in ordered if post.created_at]
        self._last_times = (self._last_times + times)[-_LAST_TIMES:]
        if self.is_ordered:
            self._find_reached(ordered, known)
        end = self._source_end_reason(page)
        if self.is_partial:  # what was read is saved, but proves nothing about what is there
            self.is_over = (
                page.reached_start
                or page.cursor is None
                or end is not None
                or self._has_reached_enough()
            )
            self._follow(page.cursor)
            return Decision()
        self.range_.newest = _newest(self.range_.newest, *times)
        self.range_.oldest = _oldest(self.range_.oldest, *times)
        self.range_.next = page.cursor
        self.range_.reason = end
        if not self.is_ordered and not page.reached_start:
            self.is_over = page.cursor is None or end is not None
            self._follow(page.cursor)
            return Decision()  # before all is read, times do not tell what is complete
        if page.reached_start:
            self.is_over = self.range_.reached_start = True
            self.range_.next = self.range_.reason = None
            self._merge(self._others)
        elif self._has_reached_enough():
            self._merge_reached()
        elif end is not None:
            if end is _CURSOR_LOOP:
                self.range_.next = self._cursor  # a later run asks for this page again
            self._end()
        self._follow(page.cursor)
        return self._decision()

    def confirm(self) -> None:
        """End the scan: the source states that nothing has changed since the last complete one.

        So it is complete, and what it did not show is not missing.
        """
        self.is_over = self.is_confirmed = True

    def stop(self, reason: Reason) -> Decision:
        """End the scan here, because the user wants no more or the source gives no more."""
        if self.is_over or self.is_partial or not self.is_ordered:
            self.is_over = True
            return Decision()
        self.range_.reason = reason
        self._end()
        return self._decision()

    def _add_seen(
        self, posts: Sequence[Post | UnchangedPost], unreadable: Iterable[str | None]
    ) -> None:
        """Add the ids of a page; records in quarantine prove presence too, if their id is known."""
        before = len(self.seen)
        self.seen.update([post.platform_id for post in posts])
        self.recognised.mark([p.post_id for p in posts if isinstance(p, UnchangedPost)])
        for name in unreadable:
            if name is None:
                self._has_unidentified = True
            else:
                self.seen.add(name)
        self._pages_without_new_posts = (
            self._pages_without_new_posts + 1 if len(self.seen) == before else 0
        )

    def _find_reached(
        self, ordered: Sequence[Post | UnchangedPost], known: Collection[str]
    ) -> None:
        times = [p.created_at for p in ordered if p.created_at and p.platform_id in known]
        for other in self._others:
            if other not in self._reached and any(_contains(other, time) for time in times):
                self._reached.append(other)

    def _has_reached_enough(self) -> bool:
        return bool(self._reached) and not self._full

    def _source_end_reason(self, page: Page) -> Reason | None:
        """Why the scan cannot go on after a page; None where it can, or has reached the start."""
        if page.reached_start:
            return None
        if page.end_reason is not None:
            return Reason("source_limit", page.end_reason)
        if page.cursor is not None and page.cursor in self._followed:
            return _CURSOR_LOOP
        if self._pages_without_new_posts >= MAX_PAGES_WITHOUT_NEW_POSTS:
            return _NO_NEW_POSTS
        return None

    def _follow(self, cursor: str | None) -> None:
        self._cursor = cursor
        self._followed.add(cursor)

    def _end(self) -> None:
        """End before the first post, and merge the known ranges that the scan has reached."""
        self.is_over = True
        if self._reached:
            self._merge_reached()

    def _merge_reached(self) -> None:
        """Merge the ranges that were reached; the result reaches as far down as the deepest."""
        own, deepest = self.range_, min(self._reached, key=lambda reached: reached.oldest or "")
        is_deeper = (own.oldest or "") <= (deepest.oldest or "")
        has_way = own.next is not None or own.reason is not None
        self._merge(self._reached)
        if deepest.reached_start or not (is_deeper and has_way):
            own.next, own.reached_start = deepest.next, deepest.reached_start
            own.reason = deepest.reason
        self.has_reached_known_range = self.is_over = True

    def _merge(self, others: Sequence[CoverageRange]) -> None:
        """Merge these ranges into this one; the row of one of them is kept."""
        for other in list(others):
            self._others.remove(other)
            self.range_.oldest = _oldest(self.range_.oldest, other.oldest)
            self.range_.newest = _newest(self.range_.newest, other.newest)
            if not self.range_.id:
                self.range_.id = other.id
            else:
                self._merged_ids.append(other.id)

    def _decision(self) -> Decision:
        merged_ids, self._merged_ids = tuple(self._merged_ids), []
        return Decision(self.range_, merged_ids)


def story_range(ranges: Iterable[CoverageRange], now: datetime) -> CoverageRange:
    """The range that a scan of the stories shown `now` covers: their lifetime before it.

    Two scans further apart than that leave a gap, in which stories may have expired unseen.
    A range that ends in the future was written under a wrong clock, and is not continued.
    """
    newest, oldest = time_text(now), timestamp(now - STORY_LIFE)
    reach = timestamp(now - STORY_LIFE - _STORY_SLACK)
    last = next((range_ for range_ in ranges if (range_.newest or "") <= newest), None)
    if last is not None and last.newest is not None and reach is not None and last.newest >= reach:
        last.newest = newest
        return last
    text = "stories are shown for 24 hours; older ones had expired before this scan"
    return CoverageRange(newest, oldest, reason=Reason("stories_expire", text))


def drop_out_of_order(posts: Sequence[Post | UnchangedPost]) -> list[Post | UnchangedPost]:
    """Those posts that are in order of time: not older than any that follows.

    Pinned posts come before newer ones, and do not show how far down a page reaches.
    """
    ordered: list[Post | UnchangedPost] = []
    newest_below = ""
    for post in reversed(posts):
        if post.created_at and post.created_at >= newest_below:
            ordered.append(post)
            newest_below = post.created_at
    return ordered[::-1]


def _newest(*times: str | None) -> str | None:
    return max(filter(None, times), default=None)


def _oldest(*times: str | None) -> str | None:
    return min(filter(None, times), default=None)


def _contains(range_: CoverageRange, time: str) -> bool:
    return bool(range_.newest and range_.oldest and range_.oldest <= time <= range_.newest)
