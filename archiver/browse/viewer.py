"""The viewer: one picture or video over the whole window, and the next ones of the gallery."""

import sqlite3
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from datasette.utils.asgi import NotFound

from archiver.browse.cards import Card, cards
from archiver.browse.entries import elsewhere, entries
from archiver.browse.filters import Cursor, Filter
from archiver.browse.frame import COUNTING_MS, TIME_LIMIT_MS, archive_of, ask, page
from archiver.browse.items import Item
from archiver.browse.likes import LikeRanking
from archiver.browse.numbers import totals_of
from archiver.browse.stream import post_page
from archiver.browse.timeline import as_tiles, gallery_filter, gallery_items

_ORIGINS = frozenset({"timeline", "thread", "post"})
_MOST_SKIPPED = 24


@dataclass(frozen=True)
class Shown:
    """An attachment with its post, as the viewer shows it."""

    card: Card
    item: Item

    @property
    def path(self) -> str:
        """The file to show, as its address ends: its hash, and a name to save it under."""
        file = self.item.main if self.item.shown in {"image", "video", "audio"} else self.item.still
        if file is None or file.sha256 is None:
            return ""
        return f"{file.sha256}/{quote(self.card.file_name(self.item, file))}"


@dataclass(frozen=True)
class ViewerPage:
    """One attachment in the viewer, and its neighbours in the gallery."""

    shown: Shown
    here: Cursor  # the place of its post in the gallery
    number: int  # 1, 2, … within its post
    count: int
    newer: Shown | None
    older: Shown | None
    also: tuple[Card, ...] = ()  # the same post, as other accounts published it

    @property
    def is_newest(self) -> bool:
        """Whether the gallery has nothing newer."""
        return self.newer is None and self.number == 1


async def viewer(datasette: Any, request: Any) -> Any:
    """One picture or video, large; arrow keys lead to the next ones of the gallery."""
    archive = await archive_of(datasette, request)
    wanted = Filter.parse(request.args)
    origin = request.args.get("from") or ""
    attachment = int(request.url_vars["attachment"])

    def question(connection: sqlite3.Connection) -> ViewerPage | None:
        totals = totals_of(datasette, archive, connection) if wanted.most_liked_first else None
        return _view(connection, attachment, wanted, totals.likes if totals else None)

    limit = COUNTING_MS if wanted.most_liked_first else TIME_LIMIT_MS
    found = await ask(datasette, archive, question, limit)
    if found is None:
        raise NotFound("There is no attachment with this number in the gallery")
    origin = origin if origin in _ORIGINS else ""
    context = {
        "view": found, "card": found.shown.card, "item": found.shown.item, "wanted": wanted,
        "query": wanted.query(**{"from": origin}), "back": _way_back(found, wanted, origin),
    }  # fmt: skip
    return await page(datasette, request, archive, "viewer", context)


def _way_back(view: ViewerPage, wanted: Filter, origin: str) -> str:
    """Where the viewer was opened, at the post that is shown; below the archive's pages."""
    card, item = view.shown.card, view.shown.item
    begun = wanted.query_from(view.here)
    if origin == "timeline":
        return f"timeline{begun}#post-{card.id}"
    if origin:
        return f"{origin}/{card.id}#item-{item.id}"
    if view.is_newest and not wanted.order:
        begun = wanted.query()
    return f"gallery{begun}#tile-{item.id}"


def _view(
    connection: sqlite3.Connection, attachment: int, wanted: Filter, ranking: LikeRanking | None
) -> ViewerPage | None:
    row = connection.execute(
        "SELECT post_id FROM attachments WHERE id = ?", (attachment,)
    ).fetchone()
    found = cards(connection, [row[0]]) if row else []
    if not found:
        return None
    card = found[0]
    here = _cursor(card, ranking)
    items = gallery_items(card)
    position = next((k for k, item in enumerate(items) if item.id == attachment), None)
    if position is None:  # attached to an earlier revision
        detached = [item for item in card.detached if item.id == attachment]
        return ViewerPage(Shown(card, detached[0]), here, 1, 1, None, None) if detached else None
    newer = (
        Shown(card, items[position - 1])
        if position
        else _neighbour(connection, here, wanted, ranking, newer=True)
    )
    older = (
        Shown(card, items[position + 1])
        if position + 1 < len(items)
        else _neighbour(connection, here, wanted, ranking, newer=False)
    )
    also = elsewhere(connection, card.id)
    shown = Shown(card, items[position])
    return ViewerPage(shown, here, position + 1, len(items), newer, older, also)


def _cursor(card: Card, ranking: LikeRanking | None) -> Cursor:
    return ranking.cursor(card.id) if ranking else Cursor(card.created_at or "", card.id)


def _neighbour(
    connection: sqlite3.Connection,
    here: Cursor,
    wanted: Filter,
    ranking: LikeRanking | None,
    *,
    newer: bool,
) -> Shown | None:
    """The last attachment of the next newer post, or the first of the next older one."""
    applied = gallery_filter(wanted)
    for _ in range(_MOST_SKIPPED):  # posts without a tile: all they have is the picture of a link
        found = post_page(
            connection, applied, newer_than=here if newer else None,
            older_than=None if newer else here, size=1, ranking=ranking,
        )  # fmt: skip
        if not found.ids:
            return None
        (other,) = cards(connection, found.ids)
        is_shown = bool(
            entries(connection, found.ids, applied, grouped=wanted.is_grouped, look=as_tiles)
        )
        if is_shown and (shown := gallery_items(other)):
            return Shown(other, shown[-1 if newer else 0])
        here = _cursor(other, ranking)
    return None
