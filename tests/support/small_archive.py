"""An archive in memory with the few rows that a test needs, written one by one."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count

from archiver.archive.rows import insert
from archiver.archive.schema import model


@dataclass
class SmallArchive:
    """Rows by what a test says of them; all else is plain."""

    connection: sqlite3.Connection
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def account(self, platform: str, name: str = "") -> int:
        """A new account; its name is that of the platform where none is given."""
        return insert(
            self.connection, "accounts", name=name or f"my-{platform}", platform=platform,
            first_seen_at="",
        )  # fmt: skip

    def post(
        self, account: int, at: str | None = "2026-03-02T09:00:00.000Z", text: str | None = "words",
        *, name: str = "", kind: str = "post", **more: object,
    ) -> int:  # fmt: skip
        """A new post; `name` is its id on the platform."""
        (platform,) = self.connection.execute(
            "SELECT platform FROM accounts WHERE id = ?", (account,)
        ).fetchone()
        values = {
            "account_id": account, "platform": platform, "created_at": at, "text": text,
            "platform_id": name or f"p{next(self._numbers)}", "kind": kind, "first_seen_at": "",
            "last_seen_at": "", "raw": "{}",
        }  # fmt: skip
        return insert(self.connection, "posts", **values | more)

    def relate(self, post: int, kind: str, other: str) -> None:
        """Say that a post answers or quotes the one with that id on the platform."""
        insert(self.connection, "relations", post_id=post, kind=kind, platform_id=other)

    def alias(self, post: int, scheme: str, value: str) -> None:
        """Say that a post is known by another id too."""
        insert(self.connection, "post_aliases", post_id=post, scheme=scheme, value=value)

    def attach(self, post: int, content: str, *, kind: str = "image") -> int:
        """Attach a file that the archive holds; the same content is the same file."""
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        known = "SELECT 1 FROM media WHERE sha256 = ?"
        if not self.connection.execute(known, (sha256,)).fetchone():
            insert(
                self.connection, "media", sha256=sha256, size=1, content_type="image/jpeg",
                path=f"media/{sha256[:2]}/{sha256}.jpg", stored_at="",
            )  # fmt: skip
        number = next(self._numbers)
        attachment = insert(
            self.connection, "attachments", post_id=post, position=number, key=f"k{number}",
            kind=kind, omitted=0,
        )  # fmt: skip
        insert(
            self.connection, "renditions", attachment_id=attachment, account_id=1, role="original",
            media_key=f"k{number}", state="stored", media_sha256=sha256, tries=0,
        )  # fmt: skip
        return attachment


@contextmanager
def small_archive() -> Iterator[SmallArchive]:
    """An empty archive in memory, for as long as it lasts."""
    with closing(sqlite3.connect(":memory:")) as connection:
        model().backup(connection)
        connection.row_factory = sqlite3.Row
        yield SmallArchive(connection)
