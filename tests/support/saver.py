"""Posts saved straight into an archive, one run after the other, without a platform."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from archiver.archive import runs
from archiver.archive.attachments import SaveResult
from archiver.archive.database import transaction, writer
from archiver.archive.parse_context import ParseContext
from archiver.archive.posts import PostWriter
from archiver.media.selection import select_renditions
from archiver.models import Account, Attachment, Metric, Post, Record, Rendition

PHOTO = Attachment(
    "image", "m1", alt_text="A bowl", renditions=(Rendition("original", "https://a.example/1.jpg"),)
)
POST = Post(
    "p1",
    created_at="2026-03-01T09:00:00.000Z",
    text="Good morning",
    metrics=(Metric("likes", 3),),
    attachments=(PHOTO,),
    content={"text": "Good morning"},
)


class Saver:
    """Saves posts as one run after the other would."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        account = Account("acme", "threads", "ayrshare", None)
        self.account_id = runs.claim_account(connection, account, None, "2026-03-01T00:00:00.000Z")
        self.night = 0
        self.content_version = 1
        self.written = 0

    def save(self, *posts: Post) -> SaveResult:
        self.night += 1
        now = f"2026-03-{self.night:02d}T21:00:00.000Z"
        run_id = runs.begin_run(self.connection, now, "test", {})
        context = ParseContext(
            "ayrshare", self.content_version, self.reread,
            lambda attachment: select_renditions(attachment, videos="best", thumbnails=True),
        )  # fmt: skip
        before = self.connection.total_changes
        with transaction(self.connection):
            saved = PostWriter(
                self.connection, self.account_id, "threads", run_id, context, now
            ).save((Record(json.dumps({"text": p.text}), {}), p) for p in posts)
        self.written = self.connection.total_changes - before
        return saved

    @staticmethod
    def reread(data: Any) -> Post:
        return replace(POST, text=data["text"], content={"words": (data["text"] or "").split()})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()


@contextmanager
def saving(tmp_path: Path) -> Iterator[Saver]:
    """A new archive to save into."""
    with writer(tmp_path / "archive") as connection:
        yield Saver(connection)
