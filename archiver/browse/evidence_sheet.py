"""An evidence sheet: all that proves one post, on one page that is made to be printed.

It has the text and what was changed of it, the hashes of versions and files, the run and the
response that each version came from, and the events. A published copy has fewer of these.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import NotFound

from archiver.archive.record_diff import TextChange, changes, published_paths
from archiver.browse.archives import Archive
from archiver.browse.cards import Card, cards
from archiver.browse.frame import archive_of, ask, page
from archiver.browse.selection import PostSelection
from archiver.export.heading import time_now
from archiver.export.snapshot import Snapshot
from archiver.saved_posts import PostRevision, SavedPost
from archiver.version import version

_LONG_TEXT = 2000
"""Characters: a longer text is printed in small type and two columns."""


@dataclass(frozen=True)
class VersionProof:
    """One version of the post: what it changed, and where it came from."""

    row: PostRevision
    texts: tuple[TextChange, ...]  # against the version before
    run: Mapping[str, Any]  # empty where this archive has none
    response: Mapping[str, Any]  # likewise

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers of the response that were kept."""
        try:
            found = json.loads(self.response.get("headers") or "{}")
        except ValueError:
            return []
        return sorted((str(name), str(value)) for name, value in found.items())


@dataclass(frozen=True)
class EvidenceSheet:
    """Everything on the sheet."""

    card: Card
    post: SavedPost
    row_sha256: str | None
    archive_id: str | None
    versions: list[VersionProof]
    events: list[Mapping[str, Any]]
    aliases: list[tuple[str, str]]


async def evidence(datasette: Any, request: Any) -> Any:
    """The sheet of one post."""
    archive = await archive_of(datasette, request)
    post_id = int(request.url_vars["post"])
    sheet = await ask(datasette, archive, lambda connection: _sheet(connection, archive, post_id))
    if sheet is None:
        raise NotFound("There is no post of that number")
    context = {
        "sheet": sheet, "card": sheet.card, "printed_at": time_now(),
        "program": f"archiver {version()}", "long_text": _LONG_TEXT,
    }  # fmt: skip
    return await page(datasette, request, archive, "evidence", context)


def _sheet(connection: sqlite3.Connection, archive: Archive, post_id: int) -> EvidenceSheet | None:
    snapshot = Snapshot(connection, PostSelection(post_id))  # within the page's transaction
    post = next(snapshot.posts(), None)
    if post is None:
        return None
    (card,) = cards(connection, [post_id])
    return EvidenceSheet(
        card, post,
        row_sha256=_one(connection, archive, "posts", "row_sha256", "id = ?", post_id),
        archive_id=_one(connection, archive, "about", "value", "name = ?", "archive_id"),
        versions=_versions(connection, archive, post, list(snapshot.revisions())),
        events=_events(connection, archive, post_id),
        aliases=_aliases(connection, archive, post_id),
    )  # fmt: skip


def _versions(
    connection: sqlite3.Connection, archive: Archive, post: SavedPost, rows: list[PostRevision]
) -> list[VersionProof]:
    """The versions, the first one first."""
    texts = [post.text, post.title, *(one.alt_text for one in post.attached)]
    newest = rows[-1].raw if rows else None
    published = published_paths(newest, texts) if newest else frozenset()
    found = []
    for before, row in zip([None, *rows], rows, strict=False):
        changed: list[TextChange] = []
        if before is not None and before.raw is not None and row.raw is not None:
            changed = [one for one in changes(before.raw, row.raw, published) if one.is_text]
        run, response = _origin(connection, archive, row)
        found.append(VersionProof(row, tuple(changed), run, response))
    return found


def _origin(
    connection: sqlite3.Connection, archive: Archive, row: PostRevision
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The run and the response that a version came from."""
    run, response = None, None
    if row.run_id is not None and archive.has("runs"):
        query = "SELECT id, started_at, finished_at, version FROM runs WHERE id = ?"
        run = connection.execute(query, (row.run_id,)).fetchone()
    if archive.has("responses") and archive.has("revisions", "response_id"):
        response = connection.execute(
            "SELECT responses.id, url, status, received_at, headers, body_sha256 FROM responses "
            "JOIN revisions ON responses.id = response_id WHERE post_id = ? AND number = ?",
            (row.post_id, row.number),
        ).fetchone()
    return dict(run or {}), dict(response or {})


def _events(
    connection: sqlite3.Connection, archive: Archive, post_id: int
) -> list[Mapping[str, Any]]:
    if not archive.has("events"):
        return []
    query = "SELECT at, what, reason, source, run_id FROM events WHERE post_id = ? ORDER BY id"
    return [dict(row) for row in connection.execute(query, (post_id,))]


def _aliases(
    connection: sqlite3.Connection, archive: Archive, post_id: int
) -> list[tuple[str, str]]:
    if not archive.has("post_aliases"):
        return []
    query = "SELECT scheme, value FROM post_aliases WHERE post_id = ? ORDER BY scheme, value"
    return [(row["scheme"], row["value"]) for row in connection.execute(query, (post_id,))]


def _one(
    connection: sqlite3.Connection, archive: Archive, table: str, column: str, where: str,
    value: object,
) -> str | None:  # fmt: skip
    if not archive.has(table, column):
        return None
    row = connection.execute(f"SELECT {column} FROM {table} WHERE {where}", (value,)).fetchone()
    return row[0] if row else None
