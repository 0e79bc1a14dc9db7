"""Which stretches of an account's history are known to be complete.

A stretch reaches from its newest post down to its oldest. Looking from the top, a walk has met a
stretch when it sees, in order, a post that the stretch holds: everything newer has then been read.
Between two stretches is a gap, until a walk closes it.
"""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from archiver.archive.database import transaction
from archiver.archive.post_sources import UnchangedPost
from archiver.archive.rows import delete, insert, update_row
from archiver.models import STORY_LIFE, Page, Post, stream_of, timestamp
from archiver.reasons import Reason

_STORY_SLACK = timedelta(hours=1)  # a nightly run is never exactly a day after the last
_TAIL = 10


@dataclass(slots=True)
class CoverageRange:
    """One row of `coverage`; `id` is 0 until it is saved."""

    newest: str | None = None
    oldest: str | None = None
    reached_start: bool = False
    next: str | None = None
    reason: Reason | None = None
    id: int = 0


class CoverageTracker:
    """A walk down an account's posts, one page after the other, and the stretch that it makes.

    `resumed` continues an unfinished stretch where it stopped. `full` does not end at known
    stretches. `seen` gathers the ids of all posts met. A post dated after `now` tells nothing of
    where the walk is: one such would stand above all others for good, and hold every later time.
    """

    def __init__(
        self, connection: sqlite3.Connection, account_id: int, source: str, run_id: int,
        now: datetime, *, full: bool = False, resumed: CoverageRange | None = None,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._account_id = account_id
        self._source = source
        self._run_id = run_id
        self._now = timestamp(now) or ""
        self._full = full
        self._from_top = resumed is None
        self._others = [
            range_
            for range_ in coverage_ranges(connection, account_id, source)
            if range_ != resumed
        ]
        self._met: list[CoverageRange] = []
        self._tail: list[str] = []
        self._has_nameless = False
        self.range_ = resumed or CoverageRange()
        self.seen: set[str] = set()
        self.is_over = False
        self.is_partial = False
        self.met = False

    @property
    def is_complete(self) -> bool:
        """Whether everything from the newest post down to where it ended was read."""
        return self._from_top and self.is_over and not self.is_partial and not self._has_nameless

    def floor(self) -> str | None:
        """The time above which every post would have been seen; None where all would.

        Taken from the newest of the last posts met, so that one out of order cannot lower it.
        """
        if self.range_.reached_start and not self.met:
            return None
        return max(self._tail) if self._tail else "9999"

    def page(
        self, page: Page, posts: Sequence[Post | UnchangedPost], known: Collection[str]
    ) -> None:
        """Take one page into account, and save the stretch; inside the page's transaction.

        `posts` are in the order of the page, `known` the ids of those that the archive had before.
        """
        self.is_partial |= page.partial
        self.seen.update(post.platform_id for post in posts)
        ordered = in_order([post for post in posts if self._tells_time(post)])
        times = [post.created_at for post in ordered if post.created_at]
        self._tail = (self._tail + times)[-_TAIL:]
        self._note_met(ordered, known)
        if self.is_partial:  # what was read is saved, but proves nothing about what is there
            self.is_over = page.reached_start or page.cursor is None or self._has_met_enough()
            return
        self.range_.newest = _newest(self.range_.newest, *times)
        self.range_.oldest = _oldest(self.range_.oldest, *times)
        self.range_.next = page.cursor
        self.range_.reason = None
        if page.reached_start:
            self.is_over = self.range_.reached_start = True
            self.range_.next = None
            self._absorb(self._others)
        elif self._has_met_enough():
            self._join()
        elif page.cursor is None and page.end_reason:
            self._end(Reason("source_limit", page.end_reason))
        self._save()

    def note_unreadable(self, data: Iterable[object]) -> None:
        """Records in quarantine prove presence too, if they only have an id."""
        for item in data:
            name = item.get("id") if isinstance(item, dict) else None
            if isinstance(name, str | int):
                self.seen.add(str(name))
            else:
                self._has_nameless = True

    def stop(self, reason: Reason) -> None:
        """End the walk here, because the user wants no more or the source gives no more."""
        if not self.is_over and not self.is_partial:
            with transaction(self._connection):
                self._end(reason)
                self._save()
        self.is_over = True

    def _tells_time(self, post: Post | UnchangedPost) -> bool:
        return stream_of(post.kind) == "posts" and (post.created_at or "") <= self._now

    def _note_met(self, ordered: Sequence[Post | UnchangedPost], known: Collection[str]) -> None:
        times = [p.created_at for p in ordered if p.created_at and p.platform_id in known]
        for other in self._others:
            if other not in self._met and any(_holds(other, time) for time in times):
                self._met.append(other)

    def _has_met_enough(self) -> bool:
        return bool(self._met) and not self._full

    def _end(self, reason: Reason) -> None:
        """The walk ends short of the start; what it ran into on the way is one with it."""
        if self._met:
            self._join()
        else:
            self.is_over = True
            self.range_.reason = reason

    def _join(self) -> None:
        """Become one with the stretches that were met: the deepest says how far down it goes."""
        deepest = min(self._met, key=lambda met: met.oldest or "")
        self._absorb(self._met)
        self.range_.next, self.range_.reason = deepest.next, deepest.reason
        self.range_.reached_start = deepest.reached_start
        self.met = self.is_over = True

    def _absorb(self, others: Sequence[CoverageRange]) -> None:
        """Become one with these stretches; the row of one of them is kept."""
        for other in list(others):
            self._others.remove(other)
            self.range_.oldest = _oldest(self.range_.oldest, other.oldest)
            self.range_.newest = _newest(self.range_.newest, other.newest)
            if not self.range_.id:
                self.range_.id = other.id
            else:
                delete(self._connection, "coverage", "id = ?", (other.id,))

    def _save(self) -> None:
        save(self._connection, self._account_id, self._source, "posts", self.range_, self._run_id)


def coverage_ranges(
    connection: sqlite3.Connection, account_id: int, source: str, stream: str = "posts"
) -> list[CoverageRange]:
    """The ranges of an account that are known to be complete through a source, newest first."""
    query = """
        SELECT newest, oldest, reached_start, next, reason_code, reason, id FROM coverage
         WHERE account_id = ? AND source = ? AND stream = ? ORDER BY newest DESC
    """
    return [
        CoverageRange(
            newest, oldest, bool(start), next_, Reason(code, text or "") if code else None, row_id
        )
        for newest, oldest, start, next_, code, text, row_id in connection.execute(
            query, (account_id, source, stream)
        )
    ]


def was_asked(range_: CoverageRange) -> bool:
    """Whether a range ends where the user wanted it to end."""
    return range_.reason is not None and range_.reason.code in {"asked_limit", "asked_since"}


def save(
    connection: sqlite3.Connection, account_id: int, source: str, stream: str,
    range_: CoverageRange, run_id: int,
) -> None:  # fmt: skip
    """Write a stretch: a new row, or its own."""
    values = {
        "newest": range_.newest,
        "oldest": range_.oldest,
        "reached_start": range_.reached_start,
        "next": range_.next,
        "reason_code": range_.reason.code if range_.reason else None,
        "reason": range_.reason.text if range_.reason else None,
        "run_id": run_id,
    }
    if range_.id:
        update_row(connection, "coverage", range_.id, **values)
    else:
        range_.id = insert(
            connection, "coverage", account_id=account_id, source=source, stream=stream, **values
        )


def cover_stories(
    connection: sqlite3.Connection, account_id: int, source: str, run_id: int, now: datetime
) -> None:
    """Note that stories were looked at: what is up now was published within their lifetime.

    Two looks further apart than that leave a gap in which stories may have come and gone unseen.
    A stretch that ends in the future was noted by a wrong clock, and is not continued.
    """
    newest, oldest = timestamp(now), timestamp(now - STORY_LIFE)
    reach = timestamp(now - STORY_LIFE - _STORY_SLACK)
    found = coverage_ranges(connection, account_id, source, "stories")
    last = next((s for s in found if (s.newest or "") <= (newest or "")), None)
    if last is not None and last.newest is not None and reach is not None and last.newest >= reach:
        last.newest = newest
        save(connection, account_id, source, "stories", last, run_id)
        return
    text = "stories are shown for 24 hours; older ones had expired before this scan"
    reason = Reason("stories_expire", text)
    range_ = CoverageRange(newest, oldest, reason=reason)
    save(connection, account_id, source, "stories", range_, run_id)


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
