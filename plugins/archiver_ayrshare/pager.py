"""Pages through an account's history, from the newest post to as far back as the API goes.

Where answers carry `meta.pagination`, its cursors are followed, each once: also through pages that
are empty or have nothing new, since a network may hide the posts there. Where they do not, the
newest hundred are followed by one request with the largest limit, and on Facebook by windows of
dates that end (`until`) on the day on which the previous one began.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from archiver import AccessRefused, Page, RateLimited, SourceDown, SourceError, Window
from archiver_ayrshare.answers import HistoryAnswer
from archiver_ayrshare.client import PAGE, AyrshareClient
from archiver_ayrshare.fields import CREATED
from archiver_ayrshare.options import ProfileOptions
from archiver_ayrshare.values import first, id_of, object_of, time_of

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OWN_CURSOR = re.compile(r"limit:(\d{1,6})|until:(\d{4}-\d\d-\d\d)(?:/(\d{1,6}))?", re.ASCII)
_MAX_STALE_PAGES = 100  # in a row, and each with a cursor of its own: a third of the API's limit
_WITH_DATE_WINDOWS = frozenset({"facebook"})
_WITH_SKIP_ANALYTICS = frozenset({"facebook", "instagram"})


@dataclass(frozen=True, slots=True)
class Position:
    """Where a scan is: at the API's own cursor, or at one of ours.

    Ours are `limit:500`, `until:2026-03-17` and `until:2026-03-17/500`; the API's are base64,
    which has no colon. `is_largest`: the request has the largest limit that the API allows.
    """

    limit: int
    next: str | None = None
    until: str | None = None
    is_largest: bool = False

    @classmethod
    def at(cls, cursor: str | None, limit: int) -> "Position":
        """The position that a cursor stands for, as a page gave it."""
        ours = _OWN_CURSOR.fullmatch(cursor) if cursor else None
        if ours is None:
            return cls(limit, next=cursor or None)
        is_largest, until, until_largest = ours.groups()
        size = is_largest or until_largest
        return cls(int(size) if size else limit, until=until, is_largest=size is not None)

    @property
    def cursor(self) -> str:
        """The text that a later scan can resume from."""
        if self.next is not None:
            return self.next
        if self.until is None:
            return f"limit:{self.limit}"
        return f"until:{self.until}" + (f"/{self.limit}" if self.is_largest else "")

    @property
    def params(self) -> dict[str, str]:
        """The parameters of its request."""
        params = {"limit": str(self.limit)}
        if self.next is not None:
            params["next"] = self.next
        if self.until is not None:
            params["until"] = self.until
        return params


class _End(NamedTuple):
    """The end of a scan: at the account's first post, or for a reason.

    `cursor` is where a later scan may try to go on.
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
        self._start = Position.at(window.cursor, self._limit)
        self._filters = options.params()
        self._since = _since(window) if platform in _WITH_DATE_WINDOWS else None
        if self._since:
            self._filters["since"] = self._since
        self._seen: set[str] = set()
        self._cursors: set[str] = {self._start.next} if self._start.next else set()
        self._stale = 0

    async def pages(self) -> AsyncIterator[Page]:
        """The pages from the window's cursor on, until there are no more.

        Raises SourceError.
        """
        position: Position | None = self._start
        while position is not None:
            answer, notes = await self._request(position)
            following = self._next_position(position, answer, fell_back=bool(notes))
            position = following if isinstance(following, Position) else None
            yield self._page(answer, following, notes)

    def _page(self, answer: HistoryAnswer, following: "Position | _End", notes: list[str]) -> Page:
        ended = isinstance(following, _End)
        reason = following.reason if isinstance(following, _End) else None
        if ended and reason is None:
            reason = self._filter_reason()
        return Page(
            records=answer.records,
            response=answer.response,
            cursor=following.cursor,
            reached_start=ended and reason is None,
            end_reason=reason,
            partial=answer.partial,
            updated_at=answer.updated_at,
            fresh_until=answer.fresh_until,
            notes=(*notes, *answer.notes),
        )

    def _filter_reason(self) -> str | None:
        """The filter by which the last record need not be the account's first post, if any."""
        if self._filters.get("dataType") == "stories":
            return "only stories were asked for"
        return f"only posts since {self._since} were asked for" if self._since else None

    async def _request(self, position: Position) -> tuple[HistoryAnswer, list[str]]:
        """The answer; where a request fails, to one that asks for less, with a note for each.

        High limits and analytics make this API fail. Refused access and rate limits are raised.
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
        if analytics and self._platform in _WITH_SKIP_ANALYTICS and "skipAnalytics" not in params:
            note = f"{failed}; it was asked without analytics instead, which may give ids only"
            return {**params, "skipAnalytics": "true"}, note
        return None

    def _next_position(
        self, position: Position, answer: HistoryAnswer, *, fell_back: bool
    ) -> "Position | _End":
        """The next request, or why there is none."""
        new = self._count_new(answer)
        if answer.paged:
            return self._next_page(position, answer, new)
        if answer.count == 0 and not answer.partial:
            return _End()
        if position.until is not None:
            return self._older_window(position, answer, fell_back=fell_back)
        if position.is_largest or self._client.limit_max <= position.limit:
            return self._beyond_newest(position, answer, fell_back=fell_back)
        return Position(self._client.limit_max, is_largest=True)

    def _next_page(self, position: Position, answer: HistoryAnswer, new: int) -> "Position | _End":
        """The position at the API's next cursor; the end at a cursor that was followed before."""
        self._stale = 0 if new else self._stale + 1
        if answer.more is False:
            return _End()
        if answer.next is None:
            unclear = "the source says that there is more, but not how to ask for it"
            return _End(unclear if answer.more else None)
        if answer.next in self._cursors:
            return _End(_REPEATED_CURSOR, cursor=position.cursor)
        if self._stale >= _MAX_STALE_PAGES:
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
        if self._platform in _WITH_DATE_WINDOWS:
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
        if not position.is_largest and self._client.limit_max > position.limit:
            return replace(position, limit=self._client.limit_max, is_largest=True)
        return _End(f"more posts than the source shows at once are of {position.until} or before")

    def _count_new(self, answer: HistoryAnswer) -> int:
        """How many posts of an answer are new to this scan; remembers their ids."""
        ids = {found for r in answer.records if (found := id_of(object_of(r.data).get("id")))}
        new = len(ids - self._seen)
        self._seen |= ids
        return new


_REPEATED_CURSOR = "the source repeats itself: it gave the same cursor twice"
_STALE = f"the source gave {_MAX_STALE_PAGES} pages in a row without a new post"
_INCOMPLETE = "the source called its answer incomplete"
_NO_ANALYTICS = "187"  # "Error getting analytics": the posts are there, their numbers are not


def _since(window: Window) -> str | None:
    """The date of the window's `since`, without its time."""
    found = _DAY.match(window.since) if window.since else None
    return found.group() if found else None


def _oldest_day(answer: HistoryAnswer) -> str | None:
    """The day of the last record that has a time.

    The last, not the earliest: a pinned post comes first, whatever its age.
    """
    for record in reversed(answer.records):
        data: dict[str, Any] = object_of(record.data)
        moment = first(data, CREATED, time_of)
        if moment is not None:
            return moment[:10]
    return None
