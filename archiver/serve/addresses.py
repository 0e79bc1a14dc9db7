"""Addresses of media in a record, pointed at this server. Nothing else in the record moves a byte.

Only the host and the query change: the path is what names a file across runs, so whoever backs up
from here knows every file by the name that it always had. The query says which file it is:

    https://scontent.example/v/t51/473_n.jpg?oh=00_AT&oe=66A1      as it was received
    http://127.0.0.1:8585/v/t51/473_n.jpg?archived=9f86d081…       as it is served
"""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PARAMETER = "archived"

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?')
_NOT_FILES = frozenset(
    {
        "postUrl", "permalink", "shareUrl", "embedUrl", "profileUrl", "link", "links",
        "expandedUrl", "post", "text", "caption", "message", "description", "title", "note",
        "altText", "alt",
    }
)  # fmt: skip
"""Keys of pages and words: what was published there is never touched, whatever it looks like."""


@dataclass(slots=True)
class Files:
    """The stored files of one post, by the addresses that they were offered at.

    A path that stands for two files names neither; then only the whole address counts.
    """

    by_url: dict[str, str] = field(default_factory=dict)
    by_path: dict[str, str | None] = field(default_factory=dict)

    def add(self, url: str | None, media_key: str, sha256: str) -> None:
        """Note a file."""
        if url is not None:
            self.by_url.setdefault(url, sha256)
        for path in {media_key, _path(url) if url is not None else media_key}:
            known = self.by_path.setdefault(path, sha256)
            if known != sha256:
                self.by_path[path] = None

    def find(self, url: str) -> str | None:
        """The hash of the file at an address, if it is here."""
        return self.by_url.get(url) or self.by_path.get(_path(url))


def files_of(connection: sqlite3.Connection, post_ids: Iterable[int]) -> Mapping[int, Files]:
    """The stored files of some posts."""
    query = """
        SELECT post_id, renditions.url, media_key, media_sha256
          FROM attachments JOIN renditions ON attachment_id = attachments.id
         WHERE post_id IN (SELECT value FROM json_each(?))
           AND state = 'stored' AND media_sha256 IS NOT NULL
    """
    found: dict[int, Files] = defaultdict(Files)
    for post_id, url, media_key, sha256 in connection.execute(query, (json.dumps([*post_ids]),)):
        found[post_id].add(url, media_key, sha256)
    return found


def pointed(raw: str, files: Files, origin: str) -> str:
    """The text of a record with the addresses of files that are here pointed at `origin`."""
    key = ""

    def replace(match: re.Match[str]) -> str:
        nonlocal key
        literal = match[0]
        if match[1] is not None:
            key = literal.removesuffix(match[1])[1:-1]
            return literal
        if literal[1:5].lower() != "http" or key in _NOT_FILES:
            return literal
        url: str = json.loads(literal)
        path, sha256 = _path(url), files.find(url)
        if sha256 is None or not path.startswith("/"):
            return literal
        return json.dumps(f"{origin}{path}?{PARAMETER}={sha256}")

    return _STRING.sub(replace, raw)


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
