"""The pages that list posts: the timeline and the gallery."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from archiver.archive.search import search_terms
from archiver.browse.accounts import MOST_YEARS, AccountCard, account_cards, most_liked
from archiver.browse.archives import Archive
from archiver.browse.cards import Card, cards
from archiver.browse.entries import Entry, entries
from archiver.browse.facets import Facets, count_of, facets
from archiver.browse.filters import FLAGS, ORDERS, Filter, place_in
from archiver.browse.frame import (
    COUNTING_MS,
    TIME_LIMIT_MS,
    TookTooLongError,
    archive_of,
    ask,
    page,
)
from archiver.browse.headings import heading
from archiver.browse.items import Item
from archiver.browse.months import in_words
from archiver.browse.numbers import totals_of
from archiver.browse.stream import PAGE, PostPage, post_page
from archiver.models import EXPIRING_KINDS

_TILES = 36
_BEST = 3
_MOST_WAYS = 8
_IN_GALLERY = frozenset({"image", "video", "gif", "audio", "other"})


async def timeline(datasette: Any, request: Any) -> Any:
    """The posts of all accounts; with the name of one, the page of that account."""
    return await _list_page(datasette, request, "timeline", _as_it_is)


async def gallery(datasette: Any, request: Any) -> Any:
    """Pictures and videos as a grid."""
    return await _list_page(datasette, request, "gallery", gallery_filter, size=_TILES)


def _as_it_is(wanted: Filter) -> Filter:
    return wanted


def gallery_filter(wanted: Filter) -> Filter:
    """Only posts with media that we hold, unless omitted media were asked for."""
    if "omitted" in wanted.flags:
        return wanted
    return replace(wanted, flags=wanted.flags | {"media"})


@dataclass(frozen=True)
class MonthOfEntries:
    """Entries of a page that follow each other in one month."""

    month: str  # 2026-03; empty for posts without a time
    count: int | None  # posts of the whole view
    entries: list[Entry]

    @property
    def name(self) -> str:
        """March 2026."""
        return in_words(self.month) if self.month else "No date"


@dataclass(frozen=True)
class _List:
    """What a page that lists posts shows."""

    post_page: PostPage
    facets: Facets
    months: list[MonthOfEntries]
    has_groups: bool = False  # whether an entry stands for several posts
    account: AccountCard | None = None  # where all posts are of one
    best: tuple[tuple[Card, int], ...] = ()  # with their likes
    counted_at: str = ""  # when the likes were counted that it is sorted by; empty for other orders
    ways_out: tuple[tuple[str, Filter, int | None], ...] = ()


async def _list_page(
    datasette: Any,
    request: Any,
    template: str,
    adapt: Callable[[Filter], Filter],
    size: int = PAGE,
) -> Any:
    archive = await archive_of(datasette, request)
    wanted = Filter.parse(request.args)
    applied = adapt(wanted)
    place = place_in(request.args, wanted)
    is_counted_first = place.is_first or wanted.most_liked_first
    now = datetime.now(UTC)

    def question(connection: sqlite3.Connection) -> _List:
        totals = totals_of(datasette, archive, connection) if wanted.most_liked_first else None
        found = post_page(
            connection, applied, older_than=place.older_than, newer_than=place.newer_than,
            size=size, ranking=totals.likes if totals else None,
        )  # fmt: skip
        numbers = facets(connection, archive, wanted, adapt)
        look = as_tiles if template == "gallery" else None
        shown = entries(connection, found.ids, applied, grouped=wanted.is_grouped, look=look)
        if totals:
            months = [MonthOfEntries("", None, shown)] if shown else []
        else:
            months = _by_month(shown, numbers)
        if not found.ids:
            return _List(found, numbers, months, ways_out=_ways_out(connection, archive, wanted))
        account: AccountCard | None = None
        best: tuple[tuple[Card, int], ...] = ()
        if template == "timeline" and place.is_first and wanted.is_only_account:
            only = account_cards(
                connection, archive, now, name=wanted.account, most_years=MOST_YEARS
            )
            if account := next(only, None):
                best = _best(connection, account)
        has_groups = any(entry.is_group for entry in shown)
        counted_at = totals.counted_at if totals else ""
        return _List(found, numbers, months, has_groups, account, best, counted_at=counted_at)

    context: dict[str, Any] = {
        "wanted": wanted, "applied": applied, "flags": FLAGS, "terms": search_terms(applied.words),
        "is_first": place.is_first, "in_gallery": _IN_GALLERY, "now": now, "orders": ORDERS,
    }  # fmt: skip
    try:
        found = await ask(
            datasette, archive, question, COUNTING_MS if is_counted_first else TIME_LIMIT_MS
        )
    except TookTooLongError:
        context |= {"too_long": True, "heading": "This took too long", "found": None}
        return await page(datasette, request, archive, template, context, status=503)
    context |= {"found": found, "heading": heading(applied, found.facets.total)}
    return await page(datasette, request, archive, template, context, loads_more=True)


def _by_month(shown: Iterable[Entry], numbers: Facets) -> list[MonthOfEntries]:
    """The entries of a page, month by month, in their order."""
    grouped = groupby(shown, key=lambda entry: (entry.card.created_at or "")[:7])
    return [MonthOfEntries(month, numbers.in_month(month), list(of)) for month, of in grouped]


def _best(connection: sqlite3.Connection, account: AccountCard) -> tuple[tuple[Card, int], ...]:
    found = most_liked(connection, account.row["id"], _BEST)
    likes = dict(found)
    return tuple((card, likes[card.id]) for card in cards(connection, [post for post, _ in found]))


def _ways_out(
    connection: sqlite3.Connection, archive: Archive, wanted: Filter
) -> tuple[tuple[str, Filter, int | None], ...]:
    """Wider views for one that has no posts: a label, the filter, and how many posts it has."""
    wider = [(f"without {label}", wanted.without(name)) for name, label in wanted.labels()]
    words = search_terms(wanted.words)
    if len(words) > 1:
        wider += [(f"only “{word}”", wanted.but(words=word)) for word in words[:_MOST_WAYS]]
    return tuple(
        (label, other, count_of(connection, archive, other)) for label, other in wider[:_MOST_WAYS]
    )


def gallery_items(card: Card) -> list[Item]:
    """The attachments of a post that have a tile in the gallery."""
    return [item for item in card.items if item.kind in _IN_GALLERY]


def as_tiles(card: Card) -> object:
    """What the gallery shows of a post; where it is equal, a post on two networks is shown once.

    A network that has other files than the other one, or omits some, is shown too.
    """
    alone = card.id if card.kind in EXPIRING_KINDS else 0
    return alone, [(item.kind, item.shown, _proportion(item)) for item in gallery_items(card)]


def _proportion(item: Item) -> float:
    width, height = item.box or (0, 1)
    return round(width / height, 1)
