"""The pages that list posts: the timeline, the gallery, and the gallery's viewer."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from datasette.utils.asgi import NotFound

from archiver.browse.cards import Card, Item, cards
from archiver.browse.filters import FLAGS, Cursor, Filter
from archiver.browse.frame import TookTooLongError, archive_of, ask, page
from archiver.browse.stream import PostPage, post_page, search_terms
from archiver.browse.text import KINDS

_TILES = 36
_IN_GALLERY = frozenset({"image", "video", "gif", "audio", "other"})


@dataclass(frozen=True)
class FormChoices:
    """The choices of the filter form."""

    accounts: list[tuple[str, str]]  # name, platform
    platforms: list[str]
    kinds: Sequence[str] = KINDS


def choices(connection: sqlite3.Connection) -> FormChoices:
    """The accounts and platforms of the archive, for the filter form."""
    rows = connection.execute("SELECT name, platform FROM accounts ORDER BY name").fetchall()
    return FormChoices([(row[0], row[1]) for row in rows], sorted({row[1] for row in rows}))


async def timeline(datasette: Any, request: Any) -> Any:
    """The posts of all accounts, newest first."""
    return await _list_page(datasette, request, "timeline", Filter.parse(request.args), {})


async def gallery(datasette: Any, request: Any) -> Any:
    """Pictures and videos as a grid."""
    wanted = Filter.parse(request.args)
    applied = _gallery_filter(wanted)
    return await _list_page(datasette, request, "gallery", applied, {"wanted": wanted}, size=_TILES)


def _gallery_filter(wanted: Filter) -> Filter:
    """Only posts with media that we hold, unless omitted media were asked for."""
    if "omitted" in wanted.flags:
        return wanted
    return replace(wanted, flags=wanted.flags | {"media"})


async def _list_page(
    datasette: Any,
    request: Any,
    template: str,
    applied: Filter,
    more: dict[str, Any],
    **options: int,
) -> Any:
    archive = await archive_of(datasette, request)
    older = Cursor.parse(request.args.get("before"))
    newer = Cursor.parse(request.args.get("after"))

    def question(connection: sqlite3.Connection) -> tuple[PostPage, list[Card], FormChoices]:
        found = post_page(connection, applied, older_than=older, newer_than=newer, **options)
        return found, cards(connection, found.ids), choices(connection)

    context: dict[str, Any] = {
        "wanted": applied, "applied": applied, "flags": FLAGS, "terms": search_terms(applied.words),
        "is_first": not (older or newer), "in_gallery": _IN_GALLERY, **more,
    }  # fmt: skip
    try:
        found, shown, form = await ask(datasette, archive, question)
    except TookTooLongError:
        form = await ask(datasette, archive, choices)
        context |= {"too_long": True, "cards": [], "post_page": PostPage(()), "choices": form}
        return await page(datasette, request, archive, template, context, status=503)
    context |= {"cards": shown, "post_page": found, "choices": form}
    return await page(datasette, request, archive, template, context)


@dataclass(frozen=True)
class _View:
    """One attachment in the viewer, and its neighbours in the gallery."""

    card: Card
    item: Item
    number: int  # 1, 2, … within its post
    count: int
    newer: int | None  # attachment ids
    older: int | None

    @property
    def gallery_cursor(self) -> Cursor | None:
        """The cursor of a gallery page that begins with this post; None for the newest post."""
        if self.newer is None and self.number == 1:
            return None
        return Cursor(self.card.created_at or "", self.card.id - 1)


async def viewer(datasette: Any, request: Any) -> Any:
    """One picture or video, large; arrow keys lead to the next ones of the gallery."""
    archive = await archive_of(datasette, request)
    wanted = Filter.parse(request.args)
    attachment = int(request.url_vars["attachment"])

    def question(connection: sqlite3.Connection) -> _View | None:
        return _view(connection, attachment, wanted)

    found = await ask(datasette, archive, question)
    if found is None:
        raise NotFound("There is no attachment with this number in the gallery")
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
    items = _gallery_items(card)
    position = next((k for k, item in enumerate(items) if item.id == attachment), None)
    if position is None:  # attached to an earlier revision
        detached = [item for item in card.detached if item.id == attachment]
        return _View(card, detached[0], 1, 1, None, None) if detached else None
    newer = items[position - 1].id if position else _neighbour(connection, card, wanted, newer=True)
    older = (
        items[position + 1].id
        if position + 1 < len(items)
        else _neighbour(connection, card, wanted, newer=False)
    )
    return _View(card, items[position], position + 1, len(items), newer, older)


def _neighbour(
    connection: sqlite3.Connection, card: Card, wanted: Filter, *, newer: bool
) -> int | None:
    """The last attachment of the next newer post, or the first of the next older one."""
    here = Cursor(card.created_at or "", card.id)
    applied = _gallery_filter(wanted)
    for _ in range(8):  # posts whose only media is the picture of a link are skipped
        found = post_page(
            connection, applied, newer_than=here if newer else None,
            older_than=None if newer else here, size=1,
        )  # fmt: skip
        if not found.ids:
            return None
        (other,) = cards(connection, found.ids)
        if shown := _gallery_items(other):
            return shown[-1 if newer else 0].id
        here = Cursor(other.created_at or "", other.id)
    return None


def _gallery_items(card: Card) -> list[Item]:
    return [item for item in card.items if item.kind in _IN_GALLERY]
