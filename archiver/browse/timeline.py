"""The pages that walk through posts: the timeline, the gallery, and the gallery's viewer."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from datasette.utils.asgi import NotFound

from archiver.browse.cards import Card, Item, cards
from archiver.browse.filters import FLAGS, Cursor, Filter
from archiver.browse.frame import TookTooLongError, archive_of, ask, page
from archiver.browse.stream import PostPage, search_terms, stretch
from archiver.browse.text import KINDS

_TILES = 36
_IN_GALLERY = frozenset({"image", "video", "gif", "audio", "other"})


@dataclass(frozen=True)
class Choices:
    """What the filter form offers."""

    accounts: list[tuple[str, str]]  # name, platform
    platforms: list[str]
    kinds: Sequence[str] = KINDS


def choices(connection: sqlite3.Connection) -> Choices:
    """The accounts and platforms of the archive."""
    rows = connection.execute("SELECT name, platform FROM accounts ORDER BY name").fetchall()
    return Choices([(row[0], row[1]) for row in rows], sorted({row[1] for row in rows}))


async def timeline(datasette: Any, request: Any) -> Any:
    """All accounts in one stream."""
    return await _walk(datasette, request, "timeline", Filter.parse(request.args), {})


async def gallery(datasette: Any, request: Any) -> Any:
    """Pictures and videos as a grid."""
    wanted = Filter.parse(request.args)
    seen = wanted if "withheld" in wanted.flags else _with_media(wanted)
    return await _walk(datasette, request, "gallery", seen, {"wanted": wanted}, size=_TILES)


def _with_media(wanted: Filter) -> Filter:
    return replace(wanted, flags=wanted.flags | {"media"})


async def _walk(
    datasette: Any, request: Any, template: str, seen: Filter, more: dict[str, Any], **options: int
) -> Any:
    archive = await archive_of(datasette, request)
    older = Cursor.parse(request.args.get("before"))
    newer = Cursor.parse(request.args.get("after"))

    def question(connection: sqlite3.Connection) -> tuple[PostPage, list[Card], Choices]:
        found = stretch(connection, seen, older_than=older, newer_than=newer, **options)
        return found, cards(connection, found.ids), choices(connection)

    context: dict[str, Any] = {
        "wanted": seen, "flags": FLAGS, "terms": search_terms(seen.words),
        "is_first": not (older or newer), "in_gallery": _IN_GALLERY, **more,
    }  # fmt: skip
    try:
        found, shown, offered = await ask(datasette, archive, question)
    except TookTooLongError:
        offered = await ask(datasette, archive, choices)
        context |= {"too_long": True, "cards": [], "stretch": PostPage(()), "choices": offered}
        return await page(datasette, request, archive, template, context, status=503)
    context |= {"cards": shown, "stretch": found, "choices": offered}
    return await page(datasette, request, archive, template, context)


@dataclass(frozen=True)
class _View:
    """One thing in the viewer, and its neighbours."""

    card: Card
    item: Item
    number: int  # 1, 2, … within its post
    count: int
    before: int | None  # attachment ids
    after: int | None

    @property
    def above(self) -> Cursor | None:
        """Where a page of the gallery begins with this post; None where it is the newest."""
        if self.before is None and self.number == 1:
            return None
        return Cursor(self.card.created_at or "", self.card.id - 1)


async def viewer(datasette: Any, request: Any) -> Any:
    """One picture or video, large; the arrow keys go on through the gallery."""
    archive = await archive_of(datasette, request)
    wanted = Filter.parse(request.args)
    attachment = int(request.url_vars["attachment"])

    def question(connection: sqlite3.Connection) -> _View | None:
        return _view(connection, attachment, wanted)

    found = await ask(datasette, archive, question)
    if found is None:
        raise NotFound("There is nothing of that number in the gallery")
    context = {"view": found, "card": found.card, "item": found.item, "wanted": wanted}
    return await page(datasette, request, archive, "viewer", context)


def _view(connection: sqlite3.Connection, attachment: int, wanted: Filter) -> _View | None:
    row = connection.execute(
        "SELECT post_id FROM attachments WHERE id = ?", (attachment,)
    ).fetchone()
    found = cards(connection, [row[0]]) if row else []
    if not found:
        return None
    card = found[0]
    shown = _gallery_items(card)
    position = next((k for k, item in enumerate(shown) if item.id == attachment), None)
    if position is None:  # it was attached once
        former = [item for item in card.former if item.id == attachment]
        return _View(card, former[0], 1, 1, None, None) if former else None
    before = shown[position - 1].id if position else _neighbour(connection, card, wanted, up=True)
    after = (
        shown[position + 1].id
        if position + 1 < len(shown)
        else _neighbour(connection, card, wanted, up=False)
    )
    return _View(card, shown[position], position + 1, len(shown), before, after)


def _neighbour(
    connection: sqlite3.Connection, card: Card, wanted: Filter, *, up: bool
) -> int | None:
    """The last attachment of the post above, or the first of the post below."""
    here = Cursor(card.created_at or "", card.id)
    seen = wanted if "withheld" in wanted.flags else _with_media(wanted)
    for _ in range(8):  # posts whose only media is a link's picture are passed over
        found = stretch(
            connection, seen, newer_than=here if up else None, older_than=None if up else here,
            size=1,
        )  # fmt: skip
        if not found.ids:
            return None
        (other,) = cards(connection, found.ids)
        if shown := _gallery_items(other):
            return shown[-1 if up else 0].id
        here = Cursor(other.created_at or "", other.id)
    return None


def _gallery_items(card: Card) -> list[Item]:
    return [item for item in card.items if item.kind in _IN_GALLERY]
