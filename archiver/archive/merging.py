"""What the archive shows of a post that several sources speak of, and whose word that is.

The newest edit counts, else the source of the higher rank; what that one does not say, the next one
does. As long as there is one source, its word is in `posts` alone.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archiver.archive.row_objects import objects
from archiver.archive.rows import clean_row, update, update_row

SAID = (
    "created_at", "text", "title", "url", "kind", "visibility", "author", "alt_texts",
)  # fmt: skip
"""The columns of `posts` that each source says in its own way."""

_RANKS = ("export", "middleman", "native")


@dataclass(frozen=True, slots=True)
class Saying:
    """What one source says of a post; `raw` is None where it is that of the post."""

    source: str
    edit: int
    said: str | None
    raw: str | None


def rank_of(source: str, ranks: Mapping[str, str]) -> int:
    """How much the word of a source counts; one that is not installed any more counts least."""
    rank = ranks.get(source)
    return _RANKS.index(rank) if rank in _RANKS else -1


def sayings(connection: sqlite3.Connection, post_id: int) -> list[Saying]:
    """What every source says of a post."""
    query = "SELECT source, edit, said, raw FROM post_sources WHERE post_id = ? ORDER BY source"
    return list(objects(connection.execute(query, (post_id,)), Saying))


def in_order(all_: Sequence[Saying], ranks: Mapping[str, str]) -> list[Saying]:
    """The one whose word counts first, then the one that fills what it leaves out, and so on."""
    return sorted(all_, key=lambda each: (-each.edit, -rank_of(each.source, ranks), each.source))


def said_of(columns: Mapping[str, Any]) -> str:
    """The columns of a post as a source says them, as they are kept."""
    said = {name: columns[name] for name in SAID}
    return json.dumps(clean_row(said), ensure_ascii=False, sort_keys=True)


def merged(ordered: Sequence[Saying]) -> dict[str, Any]:
    """The columns of a post, of what several sources say."""
    values = [json.loads(each.said) for each in ordered if each.said is not None]
    return {
        name: next((said[name] for said in values if said.get(name) is not None), None)
        for name in SAID
    }


def begin_merging(connection: sqlite3.Connection, post_id: int, source: str) -> None:
    """A second source speaks of a post: what the first one says is kept apart from now on."""
    query = f"SELECT {', '.join(SAID)} FROM posts WHERE id = ?"
    row = connection.execute(query, (post_id,)).fetchone()
    said = said_of(dict(zip(SAID, row, strict=True)))
    where = "post_id = ? AND source <> ? AND said IS NULL"
    update(connection, "post_sources", where, (post_id, source), said=said)


def hand_over(connection: sqlite3.Connection, post_id: int, leader: Saying) -> None:
    """Make the record of the source that leads that of the post; the one before keeps its own."""
    if leader.raw is None:
        return
    held = connection.execute("SELECT raw FROM posts WHERE id = ?", (post_id,)).fetchone()[0]
    for each in sayings(connection, post_id):
        if each.raw is None and each.source != leader.source:
            where = "post_id = ? AND source = ?"
            update(connection, "post_sources", where, (post_id, each.source), raw=held)
    where = "post_id = ? AND source = ?"
    update(connection, "post_sources", where, (post_id, leader.source), raw=None)
    update_row(connection, "posts", post_id, raw=leader.raw)
