"""What makes a run fast, guarded by counting: statements, query plans, bytes held, log written."""

import asyncio
import re
import sqlite3
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from archiver.archive import queue
from archiver.archive.database import DATABASE, reader, transaction, writer
from archiver.archive.parse_context import ParseContext
from archiver.archive.posts import PostWriter
from archiver.archive.queue import Stored
from archiver.archive.readers import archive_status
from archiver.archive.runs import begin_run, claim_account
from archiver.media.download import Downloader
from archiver.models import Account, Attachment, Identity, Post, Record, Rendition
from archiver.net.fetch import MediaClient
from archiver.net.guard import AddressGuard
from archiver_ayrshare.demo.specs import photo
from support.media.samples import JPEG
from support.net.wire import LOOPBACK, FakeClock
from support.nights import nights

NOW = "2026-01-01T00:00:00.000Z"


def entries(count: int) -> list[tuple[Record, Post]]:
    found = []
    for number in range(count):
        url = f"https://cdn.example/{number}.jpg"
        attachment = Attachment("image", platform_id="1", renditions=(Rendition("original", url),))
        post = Post(
            platform_id=str(number), kind="post", created_at=NOW, text="Hello",
            content={"post": "Hello"}, attachments=(attachment,),
        )  # fmt: skip
        found.append((Record("{}", {}), post))
    return found


def open_account(connection: sqlite3.Connection) -> tuple[int, int]:
    run_id = begin_run(connection, NOW, "test", {})
    account = Account("acme", "instagram", "ayrshare", None)
    return run_id, claim_account(connection, account, Identity("instagram", "1"), NOW)


def statements_of_pages(folder: Path, count: int) -> tuple[int, int]:
    """How many statements a page of new posts takes, and one of the same posts unchanged."""
    page = entries(count)
    context = ParseContext("ayrshare", 1, lambda _: page[0][1], lambda _: [("stored", None)])
    seen: list[int] = []
    with writer(folder) as connection:
        run_id, account_id = open_account(connection)
        for _ in range(2):
            asked: Counter[str] = Counter()
            connection.set_trace_callback(lambda text, asked=asked: asked.update([text[:40]]))  # type: ignore[misc]  # the default binds it
            with transaction(connection):
                PostWriter(connection, account_id, "instagram", run_id, context, NOW).save(page)
            connection.set_trace_callback(None)
            seen.append(sum(n for text, n in asked.items() if not is_row(text)))
    return seen[0], seen[1]


def is_row(text: str) -> bool:
    """Whether this is one row of an `executemany`, or what a trigger does about it."""
    return text.lstrip().startswith(("INSERT INTO ", "--"))


def test_statements_per_page_do_not_depend_on_the_page(tmp_path: Path) -> None:
    few, many = (statements_of_pages(tmp_path / str(count), count) for count in (5, 200))
    assert few == many
    assert few[1] <= 9  # BEGIN, COMMIT and a few questions


def test_a_batch_of_stored_files_is_a_few_statements(tmp_path: Path) -> None:
    def outcome(count: int) -> int:
        page = entries(count)
        context = ParseContext("ayrshare", 1, lambda _: page[0][1], lambda _: [("pending", None)])
        with writer(tmp_path / str(count)) as connection:
            run_id, account_id = open_account(connection)
            with transaction(connection):
                PostWriter(connection, account_id, "instagram", run_id, context, NOW).save(page)
            wanted = queue.due_files(connection, [account_id], NOW, limit=count)
            files = [
                Stored(each, f"{each.rendition_id:064x}", "media/x", 1, "image/jpeg", 1, 1, None)
                for each in wanted
            ]
            asked: list[str] = []
            connection.set_trace_callback(asked.append)
            queue.save(connection, files, run_id, FakeClock().now())
            connection.set_trace_callback(None)
        rows = ("INSERT INTO media", "UPDATE renditions", "--")
        return len([text for text in asked if not text.startswith(rows)])

    assert outcome(5) == outcome(60)


def test_taking_from_the_queue_neither_scans_nor_sorts_what_waits(tmp_path: Path) -> None:
    with writer(tmp_path) as connection:
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        queue.due_files(connection, [1], NOW)
        connection.set_trace_callback(None)
        steps = [
            row[3] for query in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")
        ]
    renditions = [step for step in steps if " renditions " in f"{step} "]
    assert renditions == [
        f"SEARCH renditions USING INDEX renditions_{state} (account_id=?)"
        for state in ("pending", "failed", "playlists")
    ]
    assert not any("TEMP B-TREE" in step for step in steps), steps


@pytest.mark.parametrize(
    "query",
    ["SELECT id FROM posts WHERE account_id = 1 AND platform_id IN ('1', '2')",
     "SELECT id FROM posts ORDER BY created_at DESC LIMIT 50",
     "SELECT id FROM posts WHERE account_id = 1 ORDER BY created_at DESC LIMIT 50",
     "SELECT id FROM renditions WHERE attachment_id = 1",
     "SELECT id FROM revisions WHERE post_id = 1",
     "SELECT post_id FROM metrics WHERE post_id = 1",
     "SELECT id FROM events WHERE post_id = 1",
     "SELECT id FROM attachments WHERE post_id = 1",
     "SELECT id FROM renditions WHERE media_sha256 = 'x'"],
)  # fmt: skip
def test_hot_queries_use_an_index(tmp_path: Path, query: str) -> None:
    with writer(tmp_path):
        pass
    with reader(tmp_path) as connection:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert all("INDEX" in step or "PRIMARY KEY" in step for step in steps), steps
    assert not any("TEMP B-TREE" in step for step in steps)


EVERY_POST = re.compile(r"SEARCH posts USING .*INDEX \w+ \(account_id=\?\)")
"""A step of a query that goes through all posts of an account."""


class Asked(sqlite3.Connection):
    """A connection that keeps what it is asked, by all of its kind."""

    statements: ClassVar[dict[str, Any]] = {}

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self.statements[sql] = parameters
        return super().execute(sql, parameters)


def test_a_night_scans_no_table_that_grows_with_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights(tmp_path, "instagram", "bluesky") as world:
        for platform in world.platforms:
            world.account(platform).populate(120)
        world.backup()
        world.next_night()
        world.account("instagram").publish("New", media=[photo()])
        with monkeypatch.context() as patched:
            patched.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Asked))
            assert world.backup(now=True).counts.new == 1
        found: dict[str, str] = {}
        with reader(world.directory) as connection:
            for sql, parameters in Asked.statements.items():
                if sql.split()[0] in {"SELECT", "WITH"}:
                    for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters):
                        if row[3].startswith("SCAN "):
                            found[row[3].split()[1]] = sql
                        elif "json_each" in sql and EVERY_POST.fullmatch(row[3]):
                            found["posts"] = sql  # ids are given, and all posts are gone through
    assert "json_each" in found, "statements were looked at"
    assert {table: sql for table, sql in found.items() if table in GROWING} == {}


def test_status_counts_no_files(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").populate(20)
        world.backup()
        Asked.statements.clear()
        with closing(sqlite3.connect(world.directory / DATABASE, factory=Asked)) as connection:
            assert archive_status(connection).files > 0
            for sql, parameters in Asked.statements.items():
                for row in connection.cursor().execute(f"EXPLAIN QUERY PLAN {sql}", parameters):
                    what, table = row[3].split()[:2]
                    is_whole = what == "SCAN" and "INDEX" not in row[3]
                    assert not (is_whole and table in GROWING), (row[3], sql)
                    assert table != "media", "sums of files are kept"


GROWING = {
    "posts", "post_sources", "post_aliases", "relations", "revisions", "attachments", "media",
    "renditions", "events", "metrics", "responses", "quarantine", "timeline", "missing_media",
}  # fmt: skip


def test_an_unchanged_run_writes_a_fixed_small_amount(tmp_path: Path) -> None:
    def log_of_unchanged_run(folder: Path, posts: int) -> int:
        folder.mkdir()
        with nights(folder, "instagram") as world:
            world.account("instagram").populate(posts, stories=False)
            world.backup()
            world.next_night()
            path = world.directory / DATABASE
            with reader(world.directory) as connection:  # keeps the log from being folded away
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM runs").fetchone()
                world.backup()
                return path.with_name(f"{DATABASE}-wal").stat().st_size

    small, large = (log_of_unchanged_run(tmp_path / str(n), n) for n in (10, 90))
    assert large <= small * 1.25


@asynccontextmanager
async def pictures() -> AsyncIterator[str]:
    """A server whose pictures have as many bytes as their path says, sent piece by piece."""
    tasks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                left = int(head.split()[1][1:])
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % left)
                piece = JPEG + bytes((1 << 16) - len(JPEG))
                while left:
                    writer.write(piece[:left])
                    await writer.drain()
                    left -= min(left, len(piece))
        writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await asyncio.gather(*tasks)
    await server.wait_closed()


@pytest.mark.anyio
async def test_memory_does_not_depend_on_the_size_of_a_file(tmp_path: Path) -> None:
    async def peak(url: str) -> int:
        tracemalloc.start()
        try:
            found = await downloader.fetch(url)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        found.discard()
        return most

    async with pictures() as base, MediaClient(AddressGuard(LOOPBACK), FakeClock()) as media:
        downloader = Downloader(media.open, tmp_path, FakeClock(), max_size=1 << 30)
        await peak(f"{base}/1000000")
        small, large = await peak(f"{base}/4000000"), await peak(f"{base}/40000000")
    assert large <= small + (2 << 20)
