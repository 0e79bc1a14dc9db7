"""Which ranges of an account's history are known to be complete, as far as that can be computed.

A range reaches from its newest post down to its oldest. A scan from the newest post has reached a
known range when it sees, in order, a post of that range: everything newer has then been read.
Between two ranges is a gap, until a scan closes it. Nothing here reads or writes the database: a
page goes in, a `Decision` about rows comes out (see `coverage_rows`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from archiver.archive.post_sources import UnchangedPost
from archiver.models import STORY_LIFE, Page, Post, stream_of, timestamp
from archiver.reasons import Reason

ASKED_FOR = frozenset({"asked_limit", "asked_since"})
"""The reason codes of ends that the user asked for."""

MOST_PAGES_WITHOUT_NEWS = 100
"""Pages in a row without a post that the scan has not seen; each costs a request."""

_CIRCLE = Reason(
    "repeated_pages", "the source repeats itself: its cursors lead in a circle"
)  # fmt: skip
_NOTHING_NEW = Reason(
    "repeated_pages",
    f"the source repeats itself: {MOST_PAGES_WITHOUT_NEWS} pages in a row had no new post",
)
_STORY_SLACK = timedelta(hours=1)  # a nightly run is never exactly a day after the last
_TAIL = 10


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


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write: a range (None for nothing), and the ids of the rows that it now includes."""

    range_: CoverageRange | None = None
    absorbed: tuple[int, ...] = ()


class CoverageTracker:
    """A scan down an account's posts, page by page, and the range that it covers.

    `ranges` are those known before. `resumed`, one of them, is continued at its `next`; without it
    the scan begins at the newest post. `full` does not end at known ranges. `seen` gathers the ids
    of all posts that the scan has shown. A post dated after `now` says nothing of how far down the
    scan is: one such would stand above all others for good, and hold every later time.
    """

    def __init__(
        self, ranges: Iterable[CoverageRange], now: datetime, *, full: bool = False,
        resumed: CoverageRange | None = None,
    ) -> None:  # fmt: skip
        self._now = timestamp(now) or ""
        self._full = full
        self._from_top = resumed is None
        self._others = [range_ for range_ in ranges if range_ != resumed]
        self._reached: list[CoverageRange] = []
        self._tail: list[str] = []
        self._cursor = resumed.next if resumed else None
        self._followed = {self._cursor}
        self._pages_without_news = 0
        self._has_nameless = False
        self._absorbed: list[int] = []
        self.range_ = resumed or CoverageRange()
        self.seen: set[str] = set()
        self.is_over = False
        self.is_partial = False
        self.is_ordered = True
        self.is_authoritative = True
        self.is_confirmed = False
        self.has_joined = False

    @property
    def is_complete(self) -> bool:
        """Whether everything from the newest post down to where it ended was read.

        Where the order is not that of times, that is known only when everything was.
        """
        is_whole = self._from_top and (self.is_ordered or self.range_.reached_start)
        return is_whole and self.is_over and not self.is_partial and not self._has_nameless

    @property
    def has_covered_all(self) -> bool:
        """Whether nothing newer than the known ranges, or than the start, was left unread."""
        return self.range_.reached_start or self.has_joined

    @property
    def is_short(self) -> bool:
        """Whether older posts may exist that the source did not let this scan reach."""
        range_ = self.range_
        return (
            self.is_over
            and not self.is_partial
            and not range_.reached_start
            and range_.reason is not None
            and range_.reason.code not in ASKED_FOR
        )

    def floor(self) -> str | None:
        """The time above which every post would have been seen; None where all would.

        Taken from the newest of the last posts seen, so that one out of order cannot lower it.
        """
        if self.range_.reached_start and not self.has_joined:
            return None
        return max(self._tail) if self._tail and self.is_ordered else "9999"

    def advance(
        self, page: Page, posts: Sequence[Post | UnchangedPost], known: Collection[str],
        unreadable: Iterable[str | None] = (),
    ) -> Decision:  # fmt: skip
        """Take one page into account; the decision belongs into the page's transaction.

        `posts` are in page order, `known` the ids of those that the archive had before.
        `unreadable` are the ids of records in quarantine, None where even that is unknown.
        """
        self.is_partial |= page.partial
        self.is_ordered &= page.ordered
        self.is_authoritative &= page.authoritative
        self._note_seen(posts, unreadable)
        ordered: Sequence[Post | UnchangedPost] = [p for p in posts if self._tells_time(p)]
        if self.is_ordered:
            ordered = in_order(ordered)
        times = [post.created_at for post in ordered if post.created_at]
        self._tail = (self._tail + times)[-_TAIL:]
        if self.is_ordered:
            self._note_reached(ordered, known)
        end = self._end_of_source(page)
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
            self._absorb(self._others)
        elif self._has_reached_enough():
            self._join()
        elif end is not None:
            if end is _CIRCLE:
                self.range_.next = self._cursor  # a later run asks for this page again
            self._end()
        self._follow(page.cursor)
        return self._decision()

    def confirm(self) -> None:
        """End the scan: by the source's own word, nothing has changed since the last complete one.

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

    def _note_seen(
        self, posts: Sequence[Post | UnchangedPost], unreadable: Iterable[str | None]
    ) -> None:
        """Records in quarantine prove presence too, if only their id is known."""
        before = len(self.seen)
        self.seen.update(post.platform_id for post in posts)
        for name in unreadable:
            if name is None:
                self._has_nameless = True
            else:
                self.seen.add(name)
        self._pages_without_news = self._pages_without_news + 1 if len(self.seen) == before else 0

    def _tells_time(self, post: Post | UnchangedPost) -> bool:
        return stream_of(post.kind) == "posts" and (post.created_at or "") <= self._now

    def _note_reached(
        self, ordered: Sequence[Post | UnchangedPost], known: Collection[str]
    ) -> None:
        times = [p.created_at for p in ordered if p.created_at and p.platform_id in known]
        for other in self._others:
            if other not in self._reached and any(_holds(other, time) for time in times):
                self._reached.append(other)

    def _has_reached_enough(self) -> bool:
        return bool(self._reached) and not self._full

    def _end_of_source(self, page: Page) -> Reason | None:
        """Why there is no way on behind a page; None where there is, or at the start."""
        if page.reached_start:
            return None
        if page.end_reason is not None:
            return Reason("source_limit", page.end_reason)
        if page.cursor is not None and page.cursor in self._followed:
            return _CIRCLE
        if self._pages_without_news >= MOST_PAGES_WITHOUT_NEWS:
            return _NOTHING_NEW
        return None

    def _follow(self, cursor: str | None) -> None:
        self._cursor = cursor
        self._followed.add(cursor)

    def _end(self) -> None:
        """The scan ends short of the start; known ranges that it reached are one with it."""
        self.is_over = True
        if self._reached:
            self._join()

    def _join(self) -> None:
        """Become one range with those that were reached; the deepest says how far down it goes."""
        own, deepest = self.range_, min(self._reached, key=lambda reached: reached.oldest or "")
        is_deeper = (own.oldest or "") <= (deepest.oldest or "")
        has_way = own.next is not None or own.reason is not None
        self._absorb(self._reached)
        if deepest.reached_start or not (is_deeper and has_way):
            own.next, own.reached_start = deepest.next, deepest.reached_start
            own.reason = deepest.reason
        self.has_joined = self.is_over = True

    def _absorb(self, others: Sequence[CoverageRange]) -> None:
        """Become one with these ranges; the row of one of them is kept."""
        for other in list(others):
            self._others.remove(other)
            self.range_.oldest = _oldest(self.range_.oldest, other.oldest)
            self.range_.newest = _newest(self.range_.newest, other.newest)
            if not self.range_.id:
                self.range_.id = other.id
            else:
                self._absorbed.append(other.id)

    def _decision(self) -> Decision:
        absorbed, self._absorbed = tuple(self._absorbed), []
        return Decision(self.range_, absorbed)


def story_range(ranges: Iterable[CoverageRange], now: datetime) -> CoverageRange:
    """The range of stories after a look at what is up `now`: that of a lifetime before it.

    Two looks further apart than that leave a gap in which stories may have come and gone unseen.
    A range that ends in the future was written under a wrong clock, and is not continued.
    """
    newest, oldest = timestamp(now) or "", timestamp(now - STORY_LIFE)
    reach = timestamp(now - STORY_LIFE - _STORY_SLACK)
    last = next((range_ for range_ in ranges if (range_.newest or "") <= newest), None)
    if last is not None and last.newest is not None and reach is not None and last.newest >= reach:
        last.newest = newest
        return last
    text = "stories are shown for 24 hours; older ones had expired before this scan"
    return CoverageRange(newest, oldest, reason=Reason("stories_expire", text))


def in_order(posts: Sequence[Post | UnchangedPost]) -> list[Post | UnchangedPost]:
    """Those posts that stand where their time puts them: not older than any that follows.

    Pinned posts stand above newer ones, and so do not tell how far down a page reaches.
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


def _holds(range_: CoverageRange, time: str) -> bool:
    return bool(range_.newest and range_.oldest and range_.oldest <= time <= range_.newest)
