"""Addresses of stored files on this server.

Only the host and what signs it change: path and the rest of the query name a file across runs, so
whoever backs up from here knows every file by the name that it always had. One more parameter says
which file it is:

    https://scontent.example/v/t51/473_n.jpg?oh=00_AT&oe=66A1      as it was received
    http://127.0.0.1:8585/v/t51/473_n.jpg?archived=9f86d081…       as it is served
"""

import sqlite3
from dataclasses import dataclass, field

from archiver.media_keys import ARCHIVED, address_key

PARAMETER = ARCHIVED


@dataclass(slots=True)
class Files:
    """The stored files of one post, by the addresses that they were offered at.

    A key that stands for two files names neither; then only the whole address counts.
    """

    by_url: dict[str, str] = field(default_factory=dict)
    by_key: dict[str, str | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.by_key)

    def add(self, url: str | None, media_key: str, sha256: str) -> None:
        """Note a file."""
        if url is not None:
            self.by_url.setdefault(url, sha256)
        for key in {media_key, address_key(url) if url is not None else media_key}:
            known = self.by_key.setdefault(key, sha256)
            if known != sha256:
                self.by_key[key] = None

    def find(self, url: str) -> str | None:
        """The hash of the file at an address, if it is here."""
        return self.by_url.get(url) or self.by_key.get(address_key(url))


def files_of(connection: sqlite3.Connection, post_id: int) -> Files:
    """The stored files of a post."""
    query = """
        SELECT renditions.url, media_key, media_sha256
          FROM attachments JOIN renditions ON attachment_id = attachments.id
         WHERE post_id = ? AND state = 'stored' AND media_sha256 IS NOT NULL
    """
    files = Files()
    for url, media_key, sha256 in connection.execute(query, (post_id,)):
        files.add(url, media_key, sha256)
    return files


def served_url(url: str, files: Files, origin: str) -> str | None:
    """Where a server at `origin` has the file that was offered at `url`; None if it has not."""
    name, sha256 = address_key(url), files.find(url)
    if sha256 is None or not name.startswith("/"):
        return None
    path, mark, named = name.partition("?")
    rest = f"&{named}" if mark else ""
    return f"{origin}{path}?{PARAMETER}={sha256}{rest}"
