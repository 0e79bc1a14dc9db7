"""How fast posts and files are written into the database: `writing.py [POSTS]`, default 100,000.

Every post has a record of some 2 KB, five metrics, and one attachment with two renditions, which
are marked as stored afterwards. Printed is CPU time, which a shared machine disturbs least, and
wall time, with the size of the database.
"""

import json
import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from archiver.archive import queue, runs
from archiver.archive.database import DATABASE, transaction, writer
from archiver.archive.parse_context import ParseContext
from archiver.archive.posts import PostWriter
from archiver.models import Account, Attachment, Identity, Metric, Post, Record, Rendition

NOW = "2026-01-01T00:00:00.000Z"
PAGE = 100
BATCH = 64


def entry(number: int) -> tuple[Record, Post]:
    """One record, and the post that it is."""
    name = f"{17_900_000_000_000_000 + number}"
    text = f"Post {number}: " + "the quick brown fox jumps over the lazy dog. " * 4
    urls = [f"https://cdn.example/{name}/{role}.jpg?sig={number:x}" for role in ("full", "small")]
    data = {"id": name, "post": text, "mediaUrls": urls, "more": "x" * 1_500}
    post = Post(
        platform_id=name, kind="post", created_at=f"2025-01-01T00:00:{number % 60:02d}.000Z",
        text=text, content={"post": text}, url=f"https://example.com/p/{name}",
        metrics=tuple(Metric(m, number) for m in ("likes", "views", "shares", "saves", "comments")),
        attachments=(
            Attachment(
                "image", platform_id=name,
                renditions=(Rendition("original", urls[0]), Rendition("thumbnail", urls[1])),
            ),
        ),
    )  # fmt: skip
    return Record(json.dumps(data), data), post


def main(count: int) -> None:
    """Write, and say how long it took."""
    with TemporaryDirectory(dir=Path.cwd()) as folder, writer(Path(folder)) as connection:
        run_id = runs.begin_run(connection, NOW, "benchmark", {})
        account = Account("acme", "instagram", "ayrshare", None)
        account_id = runs.claim_account(connection, account, Identity("instagram", "1"), NOW)
        reading = ParseContext(
            "ayrshare", 1, lambda _: entry(0)[1], lambda _: [("pending", None)] * 2
        )
        with timed("posts", count):
            for start in range(0, count, PAGE):
                posts = PostWriter(connection, account_id, "instagram", run_id, reading, NOW)
                entries = [entry(number) for number in range(start, min(count, start + PAGE))]
                with transaction(connection):
                    posts.save(entries)
        with timed("files", 2 * count):
            store(connection, account_id, run_id)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        print(f"database {Path(folder, DATABASE).stat().st_size / 1e6:.1f} MB")


def store(connection: sqlite3.Connection, account_id: int, run_id: int) -> None:
    """Mark every waiting rendition as stored."""
    number = 0
    while found := queue.due_files(connection, [account_id], NOW, limit=BATCH):
        outcomes = []
        for wanted in found:
            number += 1
            digest = f"{number:064x}"
            path = f"media/{digest[:2]}/{digest}.jpg"
            outcomes.append(
                queue.Stored(wanted, digest, path, 100_000, "image/jpeg", 1080, 1080, None)
            )
        queue.save(connection, outcomes, run_id, datetime(2026, 1, 1, tzinfo=UTC))


class timed:  # noqa: N801 — reads as a word
    """Print how long a block took for so many things."""

    def __init__(self, what: str, count: int) -> None:
        self.what, self.count = what, count

    def __enter__(self) -> None:
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def __exit__(self, *_: object) -> None:
        cpu, wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        each = 1e6 * cpu / self.count
        print(f"{self.count:,} {self.what}: {cpu:.1f} s of CPU, {each:.0f} µs each; {wall:.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
