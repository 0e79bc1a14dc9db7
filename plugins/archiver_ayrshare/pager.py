"""Pages through an account's history, from the newest post to as far back as the API goes.

Where answers carry `meta.pagination`, its cursors are followed, each once: also through pages that
are empty or hold nothing new, since a network may hide what stands there. Where they do not, the
newest hundred are followed by one request for as many as the API gives at all, and on Facebook by
windows of dates that end (`until`) where the one before began, overlapping by that day.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from archiver import AccessRefused, Page, RateLimited, SourceDown, SourceError, Window
from archiver_ayrshare.answers import HistoryAnswer
from archiver_ayrshare.client import PAGE, AyrshareClient
from archiver_ayrshare.fields import CREATED
from archiver_ayrshare.options import ProfileOptions
from archiver_ayrshare.values import first, id_of, object_of, time_of

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OURS = re.compile(r"limit:(\d{1,6})|until:(\d{4}-\d\d-\d\d)(?:/(\d{1,6}))?", re.ASCII)
_MOST_STALE_PAGES = 100  # in a row, and each with a cursor of its own: a third of the API's limit
_DATED = frozenset({"facebook"})
_SKIPPABLE = frozenset({"facebook", "instagram"})


@dataclass(frozen=True, slots=True)
class Position:
    """Where a scan is: at the API's own cursor, or at one of ours.

    Ours are `limit:500`, `until:2026-03-17` and `until:2026-03-17/500`; the API's are base64,
    which has no colon.
    """

    limit: int
    next: str | None = None
    until: str | None = None
    wide: bool = False

    @classmethod
    def at(cls, cursor: str | None, limit: int) -> "Position":
        """The position that a cursor stands for, as a page gave it."""
        ours = _OURS.fullmatch(cursor) if cursor else None
        if ours is None:
            return cls(limit, next=cursor or None)
        wide, until, until_wide = ours.groups()
        size = wide or until_wide
        return cls(int(size) if size else limit, until=until, wide=size is not None)

    @property
    def cursor(self) -> str:
        """The text that a later scan can resume from."""
        if self.next is not None:
            return self.next
        if self.until is None:
            return f"limit:{self.limit}"
        return f"until:{self.until}" + (f"/{self.limit}" if self.wide else "")

    @property
    def params(self) -> dict[str, str]:
        """What it asks of the API."""
        params = {"limit": str(self.limit)}
        if self.next is not None:
            params["next"] = self.next
        if self.until is not None:
            params["until"] = self.until
        return params


@dataclass(frozen=True, slots=True)
class _End:
    """How a scan ends: at the first post ever, or for a reason.

    `cursor` is where a later scan may find a way on after all.
    """

    reason: str | None = None
    cursor: str | None = None


class HistoryPager:
    """One scan of one account's history."""

    def __init__(
        self, client: AyrshareClient, platform: str, options: ProfileOptions, window: Window
    ) -> None:
        self._client = client
        self._platform = platform
        self._options = options
        self._limit = min(max(window.limit or PAGE, 1), PAGE, client.limit_max)
        self._begin = Position.at(window.cursor, self._limit)
        self._filters = options.params()
        self._since = _since(window) if platform in _DATED else None
        if self._since:
            self._filters["since"] = self._since
        self._seen: set[str] = set()
        self._cursors: set[str] = {self._begin.next} if self._begin.next else set()
        self._stale = 0

    async def pages(self) -> AsyncIterator[Page]:
        """The pages from the window's cursor on, until there are no more.

        Raises SourceError.
        """
        position: Position | None = self._begin
        while position is not None:
            answer, notes = await self._ask(position)
            onward = self._next_position(position, answer, fell_back=bool(notes))
            position = onward if isinstance(onward, Position) else None
            yield self._page(answer, onward, notes)

    def _page(self, answer: HistoryAnswer, onward: "Position | _End", notes: list[str]) -> Page:
        ended = isinstance(onward, _End)
        reason = onward.reason if isinstance(onward, _End) else None
        if ended and reason is None:
            reason = self._narrowed()
        return Page(
            records=answer.records,
            response=answer.response,
            cursor=onward.cursor,
            reached_start=ended and reason is None,
            end_reason=reason,
            partial=answer.partial,
            updated_at=answer.updated_at,
            fresh_until=answer.fresh_until,
            notes=(*notes, *answer.notes),
        )

    def _narrowed(self) -> str | None:
        """Why the last record there is need not be the first post ever."""
        if self._filters.get("dataType") == "stories":
            return "only stories were asked for"
        return f"only posts since {self._since} were asked for" if self._since else None

    async def _ask(self, position: Position) -> tuple[HistoryAnswer, list[str]]:
        """The answer, if need be to a reduced request, with a sentence for each step down.

        High limits and analytics are what makes this API fail; access and pace are not.
        """
        params = position.params | self._filters
        notes: list[str] = []
        while True:
            try:
                return await self._client.history(self._platform, self._options, params), notes
            except (AccessRefused, RateLimited):
                raise
            except SourceError as error:
                reduced = self._reduced_request(params, error)
                if reduced is None:
                    raise
                params, note = reduced
                notes.append(note)

    def _reduced_request(
        self, params: Mapping[str, str], error: SourceError
    ) -> tuple[dict[str, str], str] | None:
        """The parameters of a smaller request after a failure, and a note; None if there is none.

        The next smaller one has the usual limit, the one after it no analytics.
        """
        asked = params["limit"]
        failed = f"Ayrshare failed when asked for {asked} posts of {self._platform} at once"
        if int(asked) > PAGE:
            return {**params, "limit": str(PAGE)}, f"{failed}; it was asked for {PAGE} instead"
        analytics = isinstance(error, SourceDown) or error.code == _NO_ANALYTICS
        if analytics and self._platform in _SKIPPABLE and "skipAnalytics" not in params:
            note = f"{failed}; it was asked without analytics instead, which may give ids only"
            return {**params, "skipAnalytics": "true"}, note
        return None

    def _next_position(
        self, position: Position, answer: HistoryAnswer, *, fell_back: bool
    ) -> "Position | _End":
        """The next request, or why there is none."""
        new = self._note_ids(answer)
        if answer.paged:
            return self._next_page(position, answer, new)
        if answer.count == 0 and not answer.partial:
            return _End()
        if position.until is not None:
            return self._older_window(position, answer, fell_back=fell_back)
        if position.wide or self._client.limit_max <= position.limit:
            return self._beyond_newest(position, answer, fell_back=fell_back)
        return Position(self._client.limit_max, wide=True)

    def _next_page(self, position: Position, answer: HistoryAnswer, new: int) -> "Position | _End":
        """The position at the API's next cursor; the end at a cursor that was followed before."""
        self._stale = 0 if new else self._stale + 1
        if answer.more is False:
            return _End()
        if answer.next is None:
            unclear = "the source says that there is more, but not how to ask for it"
            return _End(unclear if answer.more else None)
        if answer.next in self._cursors:
            return _End(_CIRCLE, cursor=position.cursor)
        if self._stale >= _MOST_STALE_PAGES:
            return _End(_STALE, cursor=answer.next)
        self._cursors.add(answer.next)
        return Position(self._limit, next=answer.next)

    def _beyond_newest(
        self, position: Position, answer: HistoryAnswer, *, fell_back: bool
    ) -> "Position | _End":
        """What follows the largest answer that the API gives: windows of dates, or the end."""
        limit = PAGE if fell_back else position.limit
        if answer.count < position.limit and not fell_back:
            return _End(_INCOMPLETE if answer.partial else None)
        if self._platform in _DATED:
            day = _oldest_day(answer)
            if day is not None:
                return Position(self._limit, until=day)
        if fell_back:
            return _End(f"the source failed when asked for its newest {position.limit} posts")
        return _End(f"the source shows only its newest {limit} posts and has no paging")

    def _older_window(
        self, position: Position, answer: HistoryAnswer, *, fell_back: bool
    ) -> "Position | _End":
        """The window before this one; the end where a window reaches no earlier day."""
        day = _oldest_day(answer)
        if day is not None and position.until is not None and day < position.until:
            return Position(self._limit, until=day)
        if answer.count < position.limit and not fell_back:
            return _End(_INCOMPLETE if answer.partial else None)
        if not position.wide and self._client.limit_max > position.limit:
            return replace(position, limit=self._client.limit_max, wide=True)
        return _End(f"more posts than the source shows at once are of {position.until} or before")

    def _note_ids(self, answer: HistoryAnswer) -> int:
        """How many posts of an answer this scan has not seen before."""
        ids = {found for r in answer.records if (found := id_of(object_of(r.data).get("id")))}
        new = len(ids - self._seen)
        self._seen |= ids
        return new


_CIRCLE = "the source repeats itself: it gave the same cursor twice"
_STALE = f"the source gave {_MOST_STALE_PAGES} pages in a row without a new post"
_INCOMPLETE = "the source called its answer incomplete"
_NO_ANALYTICS = "187"  # "Error getting analytics": the posts are there, their numbers are not


def _since(window: Window) -> str | None:
    """The date of the window's `since`, without its time."""
    found = _DAY.match(window.since) if window.since else None
    return found.group() if found else None


def _oldest_day(answer: HistoryAnswer) -> str | None:
    """The day of the last record that has a time.

    The last, not the earliest: a pinned post stands first, whatever its age.
    """
    for record in reversed(answer.records):
        data: dict[str, Any] = object_of(record.data)
        moment = first(data, CREATED, time_of)
        if moment is not None:
            return moment[:10]
    return None
