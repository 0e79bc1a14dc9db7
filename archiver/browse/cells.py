"""Cells in Datasette's own tables: thumbnails for hashes, links to posts, indented JSON."""

import re
from typing import Any

from markupsafe import Markup, escape

from archiver.archive.media_files import SHA256
from archiver.browse.archives import archive_named
from archiver.browse.text import pretty_json, safe_link, size

_PATH = re.compile(r"media/[0-9a-f]{2}/([0-9a-f]{64})(?:\.[a-z0-9]{1,8})?")
_HASHES = frozenset({"sha256", "media_sha256", "path", "media"})
_JSON = frozenset({"raw", "headers", "asked"})
_POST_TABLES = frozenset({"posts", "timeline"})
_LONGEST = 200_000


def cell(datasette: Any, value: Any, column: str, table: str | None, database: str) -> Any:
    """The HTML to show for a value; None leaves it to Datasette."""
    if value is None or archive_named(datasette, database) is None:
        return None
    base = datasette.urls.database(database) + "/-"
    if (
        isinstance(value, dict) and column == "post_id"
    ):  # Datasette adds the label of the row that it refers to
        return Markup('<a href="{}/post/{}">{}</a>').format(base, value["value"], value["label"])
    if isinstance(value, int):
        if column == "post_id" or (column == "id" and table in _POST_TABLES):
            return Markup('<a href="{}/post/{}">{}</a>').format(base, value, value)
        if column in {"size", "bytes"}:
            return Markup('<span title="{} bytes">{}</span>').format(f"{value:,}", size(value))
        return None
    return _text(base, value, column) if isinstance(value, str) else None


def _text(base: str, value: str, column: str) -> Markup | None:
    if column in _HASHES and (sha256 := _hash(value)):
        return Markup(
            '<a class="archiver-thumb" href="{base}/media/{hash}">'
            '<img src="{base}/thumb/s/{hash}" alt="" loading="lazy" height="96"> {short}…</a>'
        ).format(base=base, hash=sha256, short=sha256[:12])
    if column in _JSON and value[:1] in {"{", "["} and len(value) <= _LONGEST:
        return Markup(
            '<details class="archiver-json"><summary>{}</summary><pre>{}</pre></details>'
        ).format(_shortened(value), pretty_json(value))
    if (link := safe_link(value)) and not re.search(r"\s", value):
        short = value if len(value) <= 80 else value[:79] + "…"
        return Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>').format(link, short)
    return None


def _hash(value: str) -> str | None:
    if SHA256.fullmatch(value):
        return value
    found = _PATH.fullmatch(value)
    return found[1] if found else None


def _shortened(value: str) -> Markup:
    return escape(value if len(value) <= 60 else value[:59] + "…")
