"""A view on paper: its posts one below the other, with the archive's name and the date."""

import sqlite3
from typing import Any

from archiver.browse.cards import Card, cards
from archiver.browse.filters import Filter
from archiver.browse.frame import archive_of, ask, page
from archiver.browse.headings import heading
from archiver.browse.selection import ViewSelection
from archiver.export.heading import time_now

MOST_PRINTED = 200
"""Posts on paper: more are better read in another form."""


async def print_view(datasette: Any, request: Any) -> Any:
    """The posts of a view, the first ones of it where they are many."""
    archive = await archive_of(datasette, request)
    wanted = Filter.parse(request.args)
    selection = ViewSelection(wanted, limit=MOST_PRINTED + 1)

    def question(connection: sqlite3.Connection) -> tuple[list[Card], bool]:
        ids = list(selection.ids(connection))
        return cards(connection, ids[:MOST_PRINTED]), len(ids) > MOST_PRINTED

    shown, has_more = await ask(datasette, archive, question)
    context = {
        "cards": shown, "has_more": has_more, "heading": heading(wanted),
        "printed_at": time_now(), "wanted": wanted,
    }  # fmt: skip
    return await page(datasette, request, archive, "print", context)
