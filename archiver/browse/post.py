"""The page of one post: everything that the archive has about it."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import NotFound

from archiver.archive.record_diff import TextChange, as_it_was, changes, is_content, published_paths
from archiver.browse.archives import Archive
from archiver.browse.cards import Card, cards
from archiver.browse.charts import Chart
from archiver.browse.entries import elsewhere
from archiver.browse.filters import Cursor, Filter
from archiver.browse.frame import archive_of, ask, page
from archiver.browse.post_metrics import post_charts
from archiver.browse.relations import Glimpse, glimpses, referring
from archiver.browse.sources import PostSource, post_sources
from archiver.browse.stream import post_page

_MOST_REVISIONS = 200
_MOST_QUOTES = 50


@dataclass(frozen=True)
class Revision:
    """One revision of the post, and what it changed."""

    row: Mapping[str, Any]
    texts: tuple[TextChange, ...] = ()
    other_fields: tuple[TextChange, ...] = ()


@dataclass(frozen=True)
class Details:
    """What the page shows besides the card."""

    row: Mapping[str, Any]
    revisions: list[Revision]
    events: list[Mapping[str, Any]]
    reviews: list[Mapping[str, Any]]
    charts: dict[int, list[Chart]]  # by attachment; 0: the post
    aliases: list[Mapping[str, Any]]
    newer: int | None  # ids of the account's posts before and after it
    older: int | None
    elsewhere: tuple[Card, ...]  # the same on other networks
    quoted: list[Glimpse]
    sources: list[PostSource]


async def post(datasette: Any, request: Any) -> Any:
    """Everything that the archive has about one post."""
    archive = await archive_of(datasette, request)
    post_id = int(request.url_vars["post"])

    def question(connection: sqlite3.Connection) -> tuple[Card, Details] | None:
        found = cards(connection, [post_id])
        return (found[0], _details(connection, archive, found[0])) if found else None

    answer = await ask(datasette, archive, question)
    if answer is None:
        raise NotFound("There is no post of that number")
    card, details = answer
    return await page(datasette, request, archive, "post", {"card": card, "details": details})


def _details(connection: sqlite3.Connection, archive: Archive, card: Card) -> Details:
    row = connection.execute("SELECT * FROM posts WHERE id = ?", (card.id,)).fetchone()
    return Details(
        dict(row),
        _revisions(connection, archive, card),
        _rows(connection, archive, "events", card.id),
        _rows(connection, archive, "actions", card.id),
        post_charts(connection, card.id),
        _rows(connection, archive, "post_aliases", card.id),
        *_neighbours(connection, card),
        elsewhere(connection, card.id),
        _quoted(connection, card),
        post_sources(connection, archive, card.id),
    )


def _neighbours(connection: sqlite3.Connection, card: Card) -> tuple[int | None, int | None]:
    """The next newer and the next older post of the account."""
    here, own = Cursor(card.created_at or "", card.id), Filter(account=card.account)
    newer = post_page(connection, own, newer_than=here, size=1).ids
    older = post_page(connection, own, older_than=here, size=1).ids
    return next(iter(newer), None), next(iter(older), None)


def _quoted(connection: sqlite3.Connection, card: Card) -> list[Glimpse]:
    """The posts that quote it."""
    if not card.answers.quotes:
        return []
    found = [other for _, other in referring(connection, [card.id], ["quotes"], _MOST_QUOTES)]
    known = glimpses(connection, found)
    return [known[post] for post in found if post in known]


def _rows(
    connection: sqlite3.Connection, archive: Archive, table: str, post_id: int
) -> list[Mapping[str, Any]]:
    if not archive.has(table):
        return []
    order = "ORDER BY id" if archive.has(table, "id") else ""
    found = connection.execute(f"SELECT * FROM {table} WHERE post_id = ? {order}", (post_id,))
    return [dict(row) for row in found]


def _revisions(connection: sqlite3.Connection, archive: Archive, card: Card) -> list[Revision]:
    """All revisions, newest first, each compared with the one before."""
    if not archive.has("revisions"):
        return []
    responses = archive.has("responses") and archive.has("revisions", "response_id")
    joined = "LEFT JOIN responses ON responses.id = response_id" if responses else ""
    more = ", responses.url AS asked, status, received_at, body_sha256" if responses else ""
    rows = connection.execute(
        f"SELECT revisions.*{more} FROM revisions {joined} WHERE post_id = ? "
        f"ORDER BY number DESC LIMIT {_MOST_REVISIONS}",
        (card.id,),
    ).fetchall()
    if not rows or not archive.has("revisions", "raw"):
        return [Revision(dict(row)) for row in rows]
    texts = [card.text, card.title, *(item.alt for item in card.items)]
    published = published_paths(rows[0]["raw"], texts)
    made = []
    for row, older in zip(rows, [*rows[1:], None], strict=True):
        found = changes(older["raw"], row["raw"], published) if older else []
        if older is None and len(rows) > 1:  # the first is shown as it was
            found = as_it_was(row["raw"], published)
        made.append(
            Revision(
                dict(row),
                tuple(change for change in found if change.is_text),
                tuple(change for change in found if not change.is_text and is_content(change)),
            )
        )
    return made
