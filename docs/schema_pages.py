"""The blocks of schema.md: tables and views as the migrations explain them, hashes by example."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, get_args

from archiver.archive.database import ROW_HASHED
from archiver.archive.schema import model
from archiver.canonical import attachment_keys, canonical_json, content_sha256, row_sha256
from archiver.models import Attachment, Kind, Post, Rendition
from archiver.reasons import REASON_CODES

_TABLE = re.compile(r"^CREATE TABLE \w+ \(\n(.*?)^\) STRICT", re.MULTILINE | re.DOTALL)
_VIEW = re.compile(r"^CREATE VIEW \w+ AS\n    -- (.*)$", re.MULTILINE)
_COLUMN = re.compile(r"^    (\w+) (TEXT|INTEGER|BLOB|ANY)(.*?),?(?:\s+-- (.*))?$")

ROWS: list[tuple[str, dict[str, Any]]] = [
    (
        "relations",
        {"id": 1, "post_id": 2, "kind": "quotes", "platform_id": None, "url": 'https://x.com/"\\'},
    ),
    ("post_aliases", {"post_id": 7, "scheme": "shortcode", "value": "Grüße 日本 😀\n"}),
    (
        "post_sources",
        {
            "post_id": 9_007_199_254_740_993, "source": "example", "fingerprint": b"\x00\xff\x10",
            "content_version": 1, "content_sha256": None, "missing_at": None,
            "missing_updated_at": None,
        },
    ),
    (
        "metrics",
        {
            "post_id": 1, "attachment_id": 0, "name": "rate",
            "seen_at": "2026-01-01T00:00:00.000Z", "value": 0.1,
        },
    ),
]  # fmt: skip
"""Rows whose hashes are printed, so that others can try theirs."""

POSTS = [
    Post("1", content={"post": "Grüße, 日本 😀"}),
    Post(
        "2",
        content={"title": "Two", "tags": ["a", None, True]},
        attachments=(
            Attachment("image", "17", "A blue bowl"),
            Attachment(
                "video", renditions=(Rendition("original", "https://cdn.example/a/b.mp4?x=1"),)
            ),
        ),
    ),
]
"""Posts whose content hashes are printed."""


def tables() -> str:
    """Every table, with what its columns mean."""
    return "\n\n".join(_tables())


def _tables() -> Iterator[str]:
    for name in (*ROW_HASHED, "table_checksums"):
        lines = _TABLE.findall(_statement(name))[0].splitlines()
        prose = [line.strip()[3:] for line in lines if line.startswith("    --")]
        rows = ["| column | type | |", "|---|---|---|"]
        for line in lines:
            if match := _COLUMN.match(line):
                column, kind, rest, comment = match.groups()
                refers = re.search(r"REFERENCES (\w+)", rest)
                words = [
                    _PRESENT.get((name, column), comment or ""),
                    f"refers to `{refers[1]}`" if refers else "",
                ]
                text = "; ".join(filter(None, words)).replace("|", "\\|")
                rows.append(f"| `{column}` | {kind} | {text} |")
        yield f"### {name}\n\n{' '.join(prose)}\n\n" + "\n".join(rows)


def _statement(name: str) -> str:
    query = "SELECT sql FROM sqlite_master WHERE name = ?"
    (sql,) = model().execute(query, (name,)).fetchone()
    return str(sql)


_PRESENT = {("posts", "kind"): ", ".join(get_args(Kind))}
"""What is said of a column in place of the schema: of its words some came after that step."""


def reason_codes() -> str:
    """Every reason code, with what it means."""
    rows = [f"| `{code}` | {meaning} |" for code, meaning in REASON_CODES.items()]
    return "\n".join(["| code | |", "|---|---|", *rows])


def views() -> str:
    """Every view, with what it shows."""
    names = ("timeline", "missing_media", "latest_metrics", "gaps")
    rows = [f"| `{name}` | {_VIEW.findall(_statement(name))[0]} |" for name in names]
    return "\n".join(["| view | |", "|---|---|", *rows])


def row_hashes() -> str:
    """Rows, and the hashes that they get."""
    parts = []
    for table, row in ROWS:
        shown = {
            column: {"BLOB": b64encode(value).decode()} if isinstance(value, bytes) else value
            for column, value in row.items()
        }
        text = json.dumps(shown, ensure_ascii=False)
        parts.append(f"{table}: {text}\n→ {row_sha256(table, row)}")
    return "```text\n" + "\n\n".join(parts) + "\n```"


def content_hashes() -> str:
    """Content of posts, as it is hashed, and the hash."""
    parts = []
    for post in POSTS:
        keys = attachment_keys(post.attachments)
        pairs = zip(post.attachments, keys, strict=True)
        attached = [[attachment.kind, key, attachment.alt_text] for attachment, key in pairs]
        text = canonical_json({"attachments": attached, "fields": dict(post.content)}).decode()
        parts.append(f"{text}\n→ {content_sha256(post)}")
    return "```text\n" + "\n\n".join(parts) + "\n```"
