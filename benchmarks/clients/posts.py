"""One pass over posts that come from memory, timed from within. What came before is not counted.

posts.py write FOLDER POSTS       a first backup, without media
posts.py settle FOLDER POSTS      mark all files of such an archive as stored
posts.py again FOLDER POSTS       a full backup of an archive that has them all already
posts.py signed FOLDER POSTS      the same, with every address of a file signed anew
posts.py floor FOLDER POSTS       the least that can tell so: parse, one SELECT … IN per page
posts.py raw FOLDER POSTS         the same posts and renditions by raw executemany, and a search
                                  index that is filled once for each page, as ours is
posts.py trigger FOLDER POSTS     the same with a search index that a trigger fills for each post
"""

import hashlib
import json
import sqlite3
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import msgspec

from archiver.archive.database import DATABASE, writer
from archiver.backup.options import BackupOptions
from archiver.backup.run import run_backup
from archiver.clock import SystemClock
from archiver.config import load_config
from archiver.garbage import collect_less
from archiver.jsontext import read_records
from archiver.models import Account
from archiver.report import NoProgress
from archiver_ayrshare.instagram import Instagram
from benchmarks.library import bodies, plugins_with, settle, settle_media

ACCOUNT = Account("acme", "instagram", "ayrshare", None)

TABLES = """
CREATE TABLE post (id TEXT PRIMARY KEY, created TEXT, text TEXT, raw TEXT, hash BLOB);
CREATE TABLE rendition (
    id INTEGER PRIMARY KEY, post TEXT, position INTEGER, role TEXT, url TEXT, state TEXT,
    UNIQUE (post, position, role));
CREATE INDEX post_created ON post(created);
CREATE VIRTUAL TABLE post_fts USING fts5(text, content="post", tokenize="trigram");
"""
BY_TRIGGER = """
CREATE TRIGGER post_added AFTER INSERT ON post BEGIN
    INSERT INTO post_fts(rowid, text) VALUES (new.rowid, new.text);
END;
"""
BY_PAGE = "INSERT INTO post_fts(rowid, text) SELECT rowid, text FROM post WHERE rowid > ?"


def backup(folder: Path, answers: list[bytes], *, full: bool = True) -> Callable[[], None]:
    config = load_config(settle(folder))
    plugins = plugins_with(answers)  # loaded before the clock starts
    asked = BackupOptions(media=False, full=full, now=True)

    def work() -> None:
        anyio.run(run)

    async def run() -> None:
        report = await run_backup(
            config, plugins, asked, clock=SystemClock(), progress=NoProgress(), version="benchmark"
        )
        if report.exit_code:
            raise SystemExit(str(report.accounts))

    return work


def settle_all(folder: Path, _: list[bytes]) -> Callable[[], None]:
    def work() -> None:
        with writer(folder / "archive") as connection:
            settle_media(connection)

    return work


def floor(folder: Path, answers: list[bytes]) -> Callable[[], None]:
    connection = sqlite3.connect(folder / "archive" / DATABASE)
    query = "SELECT platform_id, id FROM posts WHERE platform_id IN (SELECT value FROM json_each(?)) AND account_id = 1"

    def work() -> None:
        for answer in answers:
            page = msgspec.json.decode(answer)["posts"]
            hashes = {post["id"]: hashlib.sha256(repr(post).encode()).digest() for post in page}
            known = dict(connection.execute(query, (json.dumps(list(hashes)),)))
            assert len(known) == len(page)
        connection.close()

    return work


def raw(folder: Path, answers: list[bytes], *, by_trigger: bool = False) -> Callable[[], None]:
    folder.mkdir(parents=True)
    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    connection.execute("PRAGMA page_size = 8192")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(TABLES + BY_TRIGGER * by_trigger)

    def work() -> None:
        platform = Instagram()
        for answer in answers:
            _, records = read_records(answer, "posts")
            posts, renditions = [], []
            for record in records:
                post = platform.read(record.data, ACCOUNT)
                digest = hashlib.sha256(record.raw.encode()).digest()
                posts.append((post.platform_id, post.created_at, post.text, record.raw, digest))
                renditions += [
                    (post.platform_id, position, rendition.role, rendition.url, "pending")
                    for position, attachment in enumerate(post.attachments)
                    for rendition in attachment.renditions
                ]
            connection.execute("BEGIN")
            (last,) = connection.execute("SELECT coalesce(max(rowid), 0) FROM post").fetchone()
            connection.executemany(
                "INSERT INTO post VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                "text = excluded.text, raw = excluded.raw, hash = excluded.hash "
                "WHERE excluded.hash IS NOT post.hash", posts,
            )  # fmt: skip
            connection.executemany(
                "INSERT INTO rendition (post, position, role, url, state) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING", renditions,
            )  # fmt: skip
            if not by_trigger:
                connection.execute(BY_PAGE, (last,))
            connection.execute("COMMIT")
        connection.close()

    return work


WORK: dict[str, Callable[[Path, list[bytes]], Callable[[], None]]] = {
    "write": backup, "again": backup, "signed": backup, "settle": settle_all, "floor": floor,
    "raw": raw, "trigger": partial(raw, by_trigger=True),
}  # fmt: skip


def main(what: str, folder: Path, count: int) -> None:
    collect_less()  # as a command does
    signature = f"{time.time_ns():x}" if what == "signed" else "0"
    work = WORK[what](folder, list(bodies(count, signature=signature)))
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    print("took", time.perf_counter() - wall, time.process_time() - cpu)
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in status if line.startswith("VmHWM"))
    print("peak", peak.split()[1])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
