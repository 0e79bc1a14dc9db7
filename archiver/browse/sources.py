"""What each source says of a post: what it calls it, and what only it knows."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from archiver.browse.archives import Archive


@dataclass(frozen=True)
class ExtraField:
    """Something that only one source knows of a post, in words."""

    name: str
    lines: tuple[str, ...]
    is_content: bool


@dataclass(frozen=True)
class PostSource:
    """One source of a post. `matched_by` is the rule by which its record was taken for the post."""

    name: str
    record_id: str | None
    matched_by: str | None
    missing_at: str | None
    extra: tuple[ExtraField, ...]


def post_sources(
    connection: sqlite3.Connection, archive: Archive, post_id: int
) -> list[PostSource]:
    """The sources that have shown a post, in the order in which they did."""
    if not archive.has("post_sources", "extra"):
        return []
    query = """
        SELECT source, record_id, matched_by, missing_at, extra FROM post_sources
         WHERE post_id = ? ORDER BY first_seen_at, source
    """
    return [
        PostSource(name, record_id, rule, missing_at, tuple(_fields(extra)))
        for name, record_id, rule, missing_at, extra in connection.execute(query, (post_id,))
    ]


def _fields(text: str | None) -> Iterator[ExtraField]:
    try:
        extra = json.loads(text or "{}")
    except ValueError:  # damaged, which the hash of its row says
        return
    for name, field in extra.items() if isinstance(extra, dict) else ():
        if isinstance(field, dict):
            lines = tuple(_lines(field.get("value")))
            yield ExtraField(name.replace("_", " "), lines, field.get("is_content") is True)


def _lines(value: Any, before: str = "") -> Iterator[str]:
    """A value in lines that people can read: `options: Yes, No`."""
    lead = f"{before}: " if before else ""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, f"{before}, {key}" if before else str(key).replace("_", " "))
    elif isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        yield lead + ", ".join(map(_word, value))
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _lines(item, f"{before} {number}".strip())
    elif value is not None:
        yield lead + _word(value)


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
