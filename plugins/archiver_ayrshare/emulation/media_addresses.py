"""Replaces the addresses of files in a record; all other bytes of it stay the same."""

import json
import re
from collections.abc import Callable

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?')
_NOT_FILES = frozenset(
    {
        "postUrl", "permalink", "shareUrl", "embedUrl", "profileUrl", "link", "links",
        "expandedUrl", "post", "text", "caption", "message", "description", "title", "note",
        "altText", "alt",
    }
)  # fmt: skip
"""Keys of web pages and texts, whose values are not changed even where they look like files."""


def with_file_urls(record: str, file_url: Callable[[str], str | None]) -> str:
    """The text of a record with the addresses of files replaced.

    `file_url` gives for an address the one to put in its place, or None to leave it.
    """
    key = ""

    def replace(match: re.Match[str]) -> str:
        nonlocal key
        literal = match[0]
        if match[1] is not None:
            key = literal.removesuffix(match[1])[1:-1]
            return literal
        if literal[1:5].lower() != "http" or key in _NOT_FILES:
            return literal
        url = file_url(json.loads(literal))
        return literal if url is None else json.dumps(url)

    return _STRING.sub(replace, record)
