"""What happened to one post: its versions, its events, and how its metrics moved; reads only."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from archiver.archive.actions import Action, reviews_of
from archiver.archive.record_diff import TextChange, as_it_was, changes, is_content, published_paths
from archiver.archive.row_objects import mappings, objects


@dataclass(frozen=True, slots=True)
class PostName:
    """A post, and the names by which people know it."""

    id: int
    account: str
    platform: str
    platform_id: str
    created_at: str | None
    url: str | None
    text: str
    removed_at: str | None


@dataclass(frozen=True, slots=True)
class PostVersion:
    """One version of a post as a source showed it; `edits` are its differences to the one before.

    The first version has its texts as unchanged pieces.
    """

    number: int
    why: str
    seen_at: str
    source_time: str | None
    source: str
    run_id: int
    content_sha256: str
    edits: tuple[TextChange, ...]


@dataclass(frozen=True, slots=True)
class PostEvent:
    """Something that happened to a post."""

    at: str
    what: str
    source: str | None
    reason_code: str | None
    reason: str | None
    run_id: int


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """The values of a metric, and when each was first seen.

    `attachment` is the position of the attachment that it is about; None where it is the post.
    """

    name: str
    attachment: int | None
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class PostHistory:
    """All that happened to a post."""

    post: PostName
    versions: tuple[PostVersion, ...]
    events: tuple[PostEvent, ...]
    metrics: tuple[MetricSeries, ...]
    reviews: tuple[Action, ...]


_POSTS = """
    SELECT posts.id, accounts.name AS account, posts.platform, posts.platform_id, created_at,
           posts.url, coalesce(nullif(posts.title, ''), posts.text, '') AS text, removed_at
      FROM posts JOIN accounts ON accounts.id = posts.account_id
"""


def find_posts(connection: sqlite3.Connection, name: str) -> list[PostName]:
    """The posts that a text names: by number, by id on the platform (earlier ids too), by address.

    A number is that of the post in this archive; where there is none, it may be a platform's id.
    """
    if name.isascii() and name.isdigit() and len(name) < 16:
        found = list(
            objects(connection.execute(f"{_POSTS} WHERE posts.id = ?", (int(name),)), PostName)
        )
        if found:
            return found
    query = f"""
        {_POSTS} WHERE posts.platform_id = :name OR posts.url = :name
            OR posts.id IN (SELECT post_id FROM post_aliases WHERE value = :name)
         ORDER BY posts.id
    """
    return list(objects(connection.execute(query, {"name": name}), PostName))


def post_history(connection: sqlite3.Connection, post: PostName) -> PostHistory:
    """The history of a post."""
    events = connection.execute(
        "SELECT at, what, source, reason_code, reason, run_id FROM events WHERE post_id = ? "
        "ORDER BY id", (post.id,),
    )  # fmt: skip
    return PostHistory(
        post,
        tuple(_versions(connection, post.id)),
        tuple(objects(events, PostEvent)),
        tuple(_metrics(connection, post.id)),
        tuple(reviews_of(connection, post.id)),
    )


def _versions(connection: sqlite3.Connection, post_id: int) -> Iterator[PostVersion]:
    texts = connection.execute("SELECT title, text FROM posts WHERE id = ?", (post_id,)).fetchone()
    alt_texts = connection.execute("SELECT alt_text FROM attachments WHERE post_id = ?", (post_id,))
    values = [*texts, *(text for (text,) in alt_texts)]
    query = """
        SELECT number, why, seen_at, source_time, source, run_id, content_sha256, raw
          FROM revisions WHERE post_id = ? ORDER BY number
    """
    rows = list(mappings(connection.execute(query, (post_id,))))
    published = frozenset().union(*(published_paths(row["raw"], values) for row in rows))
    earlier: dict[str, str] = {}  # the newest record of each source
    for row in rows:
        raw = row.pop("raw")
        before = earlier.get(row["source"])
        if before is None:
            edits = as_it_was(raw, published)
        else:
            edits = [edit for edit in changes(before, raw, published) if is_content(edit)]
        earlier[row["source"]] = raw
        yield PostVersion(**row, edits=tuple(edits))


def _metrics(connection: sqlite3.Connection, post_id: int) -> Iterator[MetricSeries]:
    query = """
        SELECT name, position, seen_at, value FROM metrics
          LEFT JOIN attachments ON attachments.id = attachment_id
         WHERE metrics.post_id = ? ORDER BY attachment_id, name, seen_at
    """
    series: dict[tuple[str, int | None], list[tuple[str, float]]] = {}
    for name, position, seen_at, value in connection.execute(query, (post_id,)):
        series.setdefault((name, position), []).append((seen_at, value))
    for (name, position), values in series.items():
        yield MetricSeries(name, position, tuple(values))
