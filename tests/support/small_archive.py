"""An archive with the few rows that a test needs, written one by one."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from archiver.archive.facts import APPLICATION_ID
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

    def attach(
        self, post: int, content: str, *, kind: str = "image", content_type: str = "image/jpeg",
        size: tuple[int, int] | None = None, still: str = "", alt: str | None = None,
    ) -> int:  # fmt: skip
        """Attach a file that the archive holds; the same content is the same file.

        `size` is its width and height; `still` is the content of a picture of it.
        """
        number = next(self._numbers)
        attachment = insert(
            self.connection, "attachments", post_id=post, position=number, key=f"k{number}",
            kind=kind, omitted=0, alt_text=alt, source="example",
        )  # fmt: skip
        self._rendition(attachment, "original", content, content_type, size)
        if still:
            self._rendition(attachment, "thumbnail", still, "image/jpeg", (640, 360))
        return attachment

    def measure(self, post: int, **metrics: float) -> None:
        """What was observed of a post."""
        for name, value in metrics.items():
            insert(
                self.connection, "metrics", post_id=post, attachment_id=0, name=name,
                seen_at="2026-03-10T00:00:00.000Z", value=value,
            )  # fmt: skip

    def _rendition(
        self, attachment: int, role: str, content: str, content_type: str,
        size: tuple[int, int] | None,
    ) -> None:  # fmt: skip
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        known = "SELECT 1 FROM media WHERE sha256 = ?"
        width, height = size or (None, None)
        if not self.connection.execute(known, (sha256,)).fetchone():
            extension = content_type.partition("/")[2].replace("jpeg", "jpg")
            insert(
                self.connection, "media", sha256=sha256, size=1, content_type=content_type,
                path=f"media/{sha256[:2]}/{sha256}.{extension}", stored_at="", width=width,
                height=height,
            )  # fmt: skip
        insert(
            self.connection, "renditions", attachment_id=attachment, account_id=1, role=role,
            media_key=f"{role}{attachment}", state="stored", media_sha256=sha256, tries=0,
            source="example",
        )  # fmt: skip


@contextmanager
def small_archive(database: Path | None = None) -> Iterator[SmallArchive]:
    """An empty archive, for as long as it lasts; in memory, or in a file that stays."""
    with closing(sqlite3.connect(database or ":memory:")) as connection:
        model().backup(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.row_factory = sqlite3.Row
        yield SmallArchive(connection)
        connection.commit()
