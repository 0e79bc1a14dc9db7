"""Write an archive of many posts by plain SQL, and measure the pages of `archiver browse` on it.

    python benchmarks/big_archive.py make /tmp/big --posts 1000000
    python benchmarks/big_archive.py measure /tmp/big

The rows are plausible (ten accounts over twelve years, two renditions to a post, records of a
kilobyte, one post in five hundred edited, in two thousand removed, in three hundred withheld), the
media files are not there, and the hashes of rows are empty: `verify` has nothing to say of it.
"""

import argparse
import hashlib
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from archiver.archive.database import writer

PLATFORMS = (
    "bluesky", "facebook", "instagram", "linkedin", "pinterest", "snapchat", "threads", "tiktok",
    "twitter", "youtube",
)  # fmt: skip
KINDS = ("post",) * 14 + ("reply", "reply", "quote", "repost", "reel", "video")
WORDS = (
    "morning", "harbour", "glaze", "kiln", "river", "window", "bread", "lantern", "garden", "tram",
    "winter", "orange", "paper", "cloud", "market", "bicycle", "letter", "island", "copper", "rain",
    "朝の光", "釉薬", "海边", "茶杯", "بحر", "صباح", "ceramics", "slow", "studio", "bowl", "plate",
    "handle", "throwing", "trimming", "firing", "cooling", "opening", "shipping", "order", "thank",
    "you", "friends",
)  # fmt: skip
BEGAN = datetime(2014, 1, 1, tzinfo=UTC)
NEEDLE = "zirconium"
BATCH = 20_000


def make(folder: Path, posts: int, seed: int) -> None:
    """Write the archive. One post in ten thousand says `zirconium`."""
    begun = time.perf_counter()
    with writer(folder) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        _accounts(connection, posts)
        make_rows = _Rows(random.Random(seed), posts)
        for start in range(0, posts, BATCH):
            connection.execute("BEGIN")
            for table, columns, rows in make_rows.batch(start, min(start + BATCH, posts)):
                names = ", ".join(columns)
                marks = ", ".join("?" * len(columns))
                connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
            connection.execute("COMMIT")
            print(f"\r{min(start + BATCH, posts):,} posts", end="", file=sys.stderr)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = (folder / "archive.db").stat().st_size
    print(f"\n{posts:,} posts, {size / 1e9:.2f} GB, {time.perf_counter() - begun:.0f} s")


def _accounts(connection: sqlite3.Connection, posts: int) -> None:
    end = iso(BEGAN + timedelta(days=365.25 * 12))
    connection.execute(
        "INSERT INTO runs (id, started_at, finished_at, outcome, exit_code, version, asked, got, "
        "new, edited, removed, stored, bytes, omitted, failed, row_sha256) "
        "VALUES (1, ?, ?, 'done', 0, 'benchmark', '{}', ?, ?, 0, 0, ?, 0, 0, 0, '')",
        (end, end, posts, posts, posts),
    )
    for k, platform in enumerate(PLATFORMS, 1):
        connection.execute(
            "INSERT INTO accounts (id, name, platform, platform_id, handle, first_seen_at, "
            "row_sha256) VALUES (?, ?, ?, ?, 'studio', ?, '')",
            (k, platform, platform, str(k), end),
        )
        connection.execute(
            "INSERT INTO coverage (account_id, stream, newest, oldest, reached_start, run_id, "
            "row_sha256) VALUES (?, 'posts', ?, ?, 1, 1, '')",
            (k, end, iso(BEGAN)),
        )
        connection.execute(
            "INSERT INTO run_accounts (run_id, name, account_id, started_at, finished_at, "
            "outcome, full, complete, unread, got, new, edited, removed, stored, omitted, failed, "
            "row_sha256) VALUES (1, ?, ?, ?, ?, 'done', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, '')",
            (platform, k, end, end),
        )


class _Rows:
    """Rows of all tables, for a stretch of posts; newest first, as a first backup saves them."""

    def __init__(self, dice: random.Random, posts: int) -> None:
        self.dice = dice
        self.step = timedelta(days=365.25 * 12) / posts
        self.posts = posts

    def batch(self, start: int, end: int) -> Iterator[tuple[str, tuple[str, ...], list[Any]]]:
        """Table, columns, rows: parents first."""
        made: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        for k in range(start, end):
            self._one(k, made)
        for table, columns in _COLUMNS.items():
            yield table, columns, made[table]

    def _one(self, k: int, made: dict[str, list[Any]]) -> None:
        dice, post = self.dice, k + 1
        account = dice.randrange(10)
        platform = PLATFORMS[account]
        at = iso(BEGAN + self.step * (self.posts - k))
        text = " ".join(dice.choices(WORDS, k=dice.randrange(4, 40)))
        text += f" {NEEDLE}" if k % 10_000 == 77 else ""
        edited = at if k % 500 == 3 else None
        removed = at if k % 2000 == 5 else None
        withheld = k % 300 == 7
        raw = json.dumps({"id": str(10**17 + k), "post": text, "created": at, "pad": "x" * 700})
        made["posts"].append((
            post, account + 1, platform, str(10**17 + k), at, text, dice.choice(KINDS),
            f"https://example.com/{k}", at, at, edited, removed, raw, "",
        ))  # fmt: skip
        content = hashlib.sha256(text.encode()).hexdigest()
        for number in (1, 2) if edited else (1,):
            made["revisions"].append((post, number, at, 1, "ayrshare", 1, content, raw, ""))
        made["events"].append((post, 1, at, "seen", ""))
        for name in ("likes", "comments", "views"):
            made["metrics"].append((post, 0, name, at, dice.randrange(5000), ""))
        kind = "video" if k % 4 == 0 else "image"
        made["attachments"].append((post, post, 0, f"m{k}", kind, int(withheld), 1, ""))
        for role in ("original", "thumbnail"):
            self._file(post, role, kind, at, withheld and role == "original", made)

    @staticmethod
    def _file(
        post: int, role: str, kind: str, at: str, withheld: bool, made: dict[str, list[Any]]
    ) -> None:
        still = role == "thumbnail" or kind == "image"
        sha256 = hashlib.sha256(f"{post} {role}".encode()).hexdigest()
        state = "omitted" if withheld else "gone" if post % 1000 == 9 else "stored"
        if state == "stored":
            made["media"].append((
                sha256, f"media/{sha256[:2]}/{sha256}.jpg", 100_000,
                "image/jpeg" if still else "video/mp4", 1080, 1080, at, "",
            ))  # fmt: skip
        made["renditions"].append((
            post, role, f"m{post}", f"https://cdn.example.com/{sha256}", state,
            "copyright" if withheld else None, sha256 if state == "stored" else None, 0, at, "",
        ))  # fmt: skip


_COLUMNS: dict[str, tuple[str, ...]] = {
    "posts": (
        "id", "account_id", "platform", "platform_id", "created_at", "text", "kind", "url",
        "first_seen_at", "last_seen_at", "edited_at", "removed_at", "raw", "row_sha256",
    ),
    "revisions": (
        "post_id", "number", "seen_at", "run_id", "source", "content_version", "content_sha256",
        "raw", "row_sha256",
    ),
    "events": ("post_id", "run_id", "at", "what", "row_sha256"),
    "metrics": ("post_id", "attachment_id", "name", "seen_at", "value", "row_sha256"),
    "attachments": (
        "id", "post_id", "position", "key", "kind", "withheld", "first_revision", "row_sha256",
    ),
    "media": (
        "sha256", "path", "size", "content_type", "width", "height", "stored_at", "row_sha256",
    ),
    "renditions": (
        "attachment_id", "role", "media_key", "url", "state", "reason", "media_sha256", "tries",
        "published_at", "row_sha256",
    ),
}  # fmt: skip


def iso(moment: datetime) -> str:
    """As the archive writes times."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def measure(folder: Path, rounds: int) -> dict[str, float]:
    """Ask every page so often, over HTTP: the median of each, in milliseconds, but for the first.

    NaN for a page that did not come.
    """
    database = folder / "archive.db"
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        pages = dict(_pages(connection))
    browse = subprocess.Popen(
        [sys.executable, "-m", "archiver", "browse", str(folder), "--port", "0", "--no-open"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = browse.stdout.readline()
    try:
        return _ask(pages, said.split(" is at ")[1].split()[0], rounds)
    finally:
        browse.terminate()
        browse.wait()


def _ask(pages: dict[str, str], address: str, rounds: int) -> dict[str, float]:
    found = {}
    with httpx.Client(base_url=address, timeout=60) as client:
        for name, path in pages.items():
            times = [_timed(lambda path=path: client.get(path)) for _ in range(rounds + 1)]
            found[name] = statistics.median(times[1:])
            print(f"{name:28} {found[name]:8.1f} {max(times[1:]):8.1f}   first {times[0]:8.1f}")
    return found


def _timed(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    answer = work()
    if answer.status_code != 200:
        return float("nan")
    return (time.perf_counter() - begun) * 1000


def _pages(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    def at(offset: str) -> str:
        row = connection.execute(
            "SELECT created_at, id FROM posts WHERE created_at < ? ORDER BY created_at DESC, id",
            (offset,),
        ).fetchone()
        return f"{row[0]}~{row[1]}"

    deep = at("2015-06-01")
    base = "/archive/-"
    yield "home", f"{base}/home"
    yield "timeline", f"{base}/timeline"
    yield "timeline, deep", f"{base}/timeline?before={deep}"
    yield "one account, deep", f"{base}/timeline?account=threads&before={deep}"
    yield "one platform", f"{base}/timeline?platform=twitter"
    yield "a month", f"{base}/timeline?since=2016-02&until=2016-02"
    for flag in ("media", "edited", "removed", "withheld"):
        yield flag, f"{base}/timeline?{flag}=1"
    yield "kind, deep", f"{base}/timeline?kind=reel&before={deep}"
    yield "search, rare", f"{base}/timeline?q={NEEDLE}"
    yield "search, common", f"{base}/timeline?q=harbour"
    yield "search, common, deep", f"{base}/timeline?q=harbour&before={deep}"
    yield "search, two words", f"{base}/timeline?q=harbour+{NEEDLE}"
    yield "search, two characters", f"{base}/timeline?q=釉薬"
    yield "search, nothing", f"{base}/timeline?q=nothingsaysthis"
    yield "gallery", f"{base}/gallery"
    yield "gallery, deep", f"{base}/gallery?before={deep}"
    middle = connection.execute("SELECT max(id) / 2 FROM posts").fetchone()[0]
    yield "viewer", f"{base}/gallery/{middle}"
    yield "post", f"{base}/post/{middle}"
    yield "missing", f"{base}/missing"
    yield "runs", f"{base}/runs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    maker = commands.add_parser("make")
    maker.add_argument("folder", type=Path)
    maker.add_argument("--posts", type=int, default=1_000_000)
    maker.add_argument("--seed", type=int, default=1)
    measurer = commands.add_parser("measure")
    measurer.add_argument("folder", type=Path)
    measurer.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    if args.command == "make":
        make(args.folder, args.posts, args.seed)
    else:
        measure(args.folder, args.rounds)


if __name__ == "__main__":
    main()
