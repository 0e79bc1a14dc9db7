"""The pages that list posts: the timeline and the gallery."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from archiver.browse.cards import Card
from archiver.browse.entries import Entry, entries
from archiver.browse.filters import FLAGS, Cursor, Filter
from archiver.browse.frame import TookTooLongError, archive_of, ask, page
from archiver.browse.items import Item
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
    applied = gallery_filter(wanted)
    return await _list_page(datasette, request, "gallery", applied, {"wanted": wanted}, size=_TILES)


def gallery_filter(wanted: Filter) -> Filter:
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

    def question(connection: sqlite3.Connection) -> tuple[PostPage, list[Entry], FormChoices]:
        found = post_page(connection, applied, older_than=older, newer_than=newer, **options)
        grouped = template == "timeline" and not applied.apart
        shown = entries(connection, found.ids, applied, grouped=grouped)
        return found, shown, choices(connection)

    context: dict[str, Any] = {
        "wanted": applied, "applied": applied, "flags": FLAGS, "terms": search_terms(applied.words),
        "is_first": not (older or newer), "in_gallery": _IN_GALLERY, **more,
    }  # fmt: skip
    try:
        found, shown, form = await ask(datasette, archive, question)
    except TookTooLongError:
        form = await ask(datasette, archive, choices)
        context |= {"too_long": True, "entries": [], "post_page": PostPage(()), "choices": form}
        return await page(datasette, request, archive, template, context, status=503)
    context |= {"entries": shown, "post_page": found, "choices": form}
    return await page(datasette, request, archive, template, context)


def gallery_items(card: Card) -> list[Item]:
    """The attachments of a post that have a tile in the gallery."""
    return [item for item in card.items if item.kind in _IN_GALLERY]
