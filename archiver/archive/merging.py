"""How the contents of a post from several sources are merged into its row.

The newest edit has precedence, else the source of the higher rank; a value that it does not have is
taken from the next one. As long as there is one source, its content is in `posts` alone.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from archiver.archive.hashed_rows import clean_row
from archiver.archive.row_objects import objects
from archiver.archive.rows import update, update_row

MERGED_COLUMNS = (
    "created_at", "text", "title", "url", "kind", "visibility", "author", "alt_texts",
)  # fmt: skip
"""The columns of `posts` of which each source has a value of its own."""

UNKNOWN = "unknown"
"""The visibility of a post of which its source does not tell who may see it."""

_RANKS = ("export", "middleman", "native")


class SourceContent(Struct, frozen=True):
    """The content of a post in one source.

    `said` are its columns as JSON, `edit` the newest edit that it shows; `raw` is None where it is
    the record in `posts`.
    """

    source: str
    edit: int
    said: str | None
    raw: str | None


def rank_of(source: str, ranks: Mapping[str, str]) -> int:
    """The rank of a source as a number; one that is not installed any more has the lowest."""
    rank = ranks.get(source)
    return _RANKS.index(rank) if rank in _RANKS else -1


def contents_by_source(connection: sqlite3.Connection, post_id: int) -> list[SourceContent]:
    """The contents of a post in each of its sources."""
    query = "SELECT source, edit, said, raw FROM post_sources WHERE post_id = ? ORDER BY source"
    return list(objects(connection.execute(query, (post_id,)), SourceContent))


def by_precedence(
    contents: Sequence[SourceContent], ranks: Mapping[str, str]
) -> list[SourceContent]:
    """In order of precedence: later ones fill in values that the earlier do not have."""
    return sorted(
        contents, key=lambda each: (-each.edit, -rank_of(each.source, ranks), each.source)
    )


def content_json(columns: Mapping[str, Any]) -> str:
    """The columns of a post in one source, as `post_sources.said` has them."""
    said = {name: columns[name] for name in MERGED_COLUMNS}
    return json.dumps(clean_row(said), ensure_ascii=False, sort_keys=True)


def merged(ordered: Sequence[SourceContent]) -> dict[str, Any]:
    """The columns of a post, merged from contents in order of precedence."""
    values = [json.loads(each.said) for each in ordered if each.said is not None]
    columns = {
        name: next((said[name] for said in values if said.get(name) is not None), None)
        for name in MERGED_COLUMNS
    }
    return columns | {"visibility": _merged_visibility([said["visibility"] for said in values])}


def _merged_visibility(values: Sequence[str | None]) -> str | None:
    """The first visibility that is told; `unknown` only where every source says so."""
    told = next((value for value in values if value not in {None, UNKNOWN}), None)
    return UNKNOWN if told is None and values and None not in values else told


def begin_merging(connection: sqlite3.Connection, post_id: int, source: str) -> None:
    """Keep the first source's content separately, when a second source first shows the post."""
    query = f"SELECT {', '.join(MERGED_COLUMNS)} FROM posts WHERE id = ?"
    row = connection.execute(query, (post_id,)).fetchone()
    said = content_json(dict(zip(MERGED_COLUMNS, row, strict=True)))
    where = "post_id = ? AND source <> ? AND said IS NULL"
    update(connection, "post_sources", where, (post_id, source), said=said)


def set_leading_record(connection: sqlite3.Connection, post_id: int, leader: SourceContent) -> None:
    """Move the record of the leading source into `posts`; the one before gets its own back."""
    if leader.raw is None:
        return
    existing = connection.execute("SELECT raw FROM posts WHERE id = ?", (post_id,)).fetchone()[0]
    for each in contents_by_source(connection, post_id):
        if each.raw is None and each.source != leader.source:
            where = "post_id = ? AND source = ?"
            update(connection, "post_sources", where, (post_id, each.source), raw=existing)
    where = "post_id = ? AND source = ?"
    update(connection, "post_sources", where, (post_id, leader.source), raw=None)
    update_row(connection, "posts", post_id, raw=leader.raw)
