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


def cell(
    datasette: Any, row: Any, value: Any, column: str, table: str | None, database: str
) -> Any:
    """The HTML to show for a value of a row; None leaves it to Datasette."""
    if value is None or archive_named(datasette, database) is None:
        return None
    base = datasette.urls.database(database) + "/-"
    if column == "created_at" and table in _POST_TABLES and "id" in row.keys():  # noqa: SIM118 — a Row
        return Markup(
            '<a class="to-post" href="{}/post/{}" title="See the post">{}&nbsp;↗</a>'
        ).format(base, row["id"], value)
    number, label = value, None
    if isinstance(value, dict):  # Datasette adds the label of the row that it refers to
        number, label = value["value"], value["label"]
    if isinstance(number, int) and number and (place := _place(column, table)):
        text = _shortened(str(label)) if label not in {None, ""} else f"post {number}"
        shown = text if place == "post" else str(number)
        return Markup(
            '<a class="to-post" href="{}/{}/{}" title="See the post">{}&nbsp;↗</a>'
        ).format(base, place, number, shown)
    if isinstance(value, int):
        if column in {"size", "bytes"}:
            return Markup('<span title="{} bytes">{}</span>').format(f"{value:,}", size(value))
        return None
    return _text(base, value, column) if isinstance(value, str) else None


def _place(column: str, table: str | None) -> str | None:
    """Below which of our addresses the post of a number is found; None where it names no post."""
    if column == "post_id" or (column == "id" and table in _POST_TABLES):
        return "post"
    if column == "attachment_id" or (column == "id" and table == "attachments"):
        return "attachment"
    return None


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
