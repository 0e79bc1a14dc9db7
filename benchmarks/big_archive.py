"""Write an archive of many posts, and measure the pages of `archiver browse` on it.

    python -m benchmarks.big_archive make /tmp/big --posts 1000000
    python -m benchmarks.big_archive measure /tmp/big --write

The rows are plausible (ten accounts over thirty years, most posts in the last twelve; two
renditions to a post, records of a kilobyte; one post in five hundred edited, in two thousand
removed, in three hundred omitted; replies, a thread of hundreds of posts, stories, and one text in
ten published twice) and sound. Of the media files only those of one slice in a thousand are there,
for `verify --slice`.
"""

import argparse
import hashlib
import itertools
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from archiver.archive.database import transaction, writer
from archiver.archive.rows import insert, insert_all
from archiver.archive.storage_totals import rebuild_totals
from archiver_ayrshare.accounts import PLATFORMS
from docs.figures import put_figures

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"

KINDS = ("post",) * 13 + ("reply", "reply", "quote", "repost", "reel", "story", "video")
WORDS = (
    "morning", "harbour", "glaze", "kiln", "river", "window", "bread", "lantern", "garden", "tram",
    "winter", "orange", "paper", "cloud", "market", "bicycle", "letter", "island", "copper", "rain",
    "朝の光", "釉薬", "海边", "茶杯", "بحر", "صباح", "ceramics", "slow", "studio", "bowl", "plate",
    "handle", "throwing", "trimming", "firing", "cooling", "opening", "shipping", "order", "thank",
    "you", "friends",
)  # fmt: skip
BEGAN = datetime(1996, 1, 1, tzinfo=UTC)
BUSY = datetime(2014, 1, 1, tzinfo=UTC)
ENDED = datetime(2026, 1, 1, tzinfo=UTC)
EARLY = 50  # one post in so many is older than the busy years
ACCOUNTS = 10
NEEDLE = "zirconium"
BATCH = 20_000
PARTS = 1000
MEASURED = 500


def make(folder: Path, posts: int, seed: int) -> None:
    """Write the archive. One post in ten thousand says `zirconium`."""
    begun = time.perf_counter()
    with writer(folder) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        with transaction(connection):
            _accounts(connection, posts)
        make_rows = _Rows(folder, random.Random(seed), posts)
        for start in range(0, posts, BATCH):
            with transaction(connection):
                for table, rows in make_rows.batch(start, min(start + BATCH, posts)):
                    insert_all(connection, table, rows)
            print(f"\r{min(start + BATCH, posts):,} posts", end="", file=sys.stderr)
        with transaction(connection):
            rebuild_totals(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = (folder / "archive.db").stat().st_size
    print(f"\n{posts:,} posts, {size / 1e9:.2f} GB, {time.perf_counter() - begun:.0f} s")


def _accounts(connection: sqlite3.Connection, posts: int) -> None:
    end = iso(ENDED)
    counts: dict[str, int] = dict.fromkeys(("edited", "removed", "omitted", "failed"), 0)
    insert(
        connection, "runs", started_at=end, finished_at=end, outcome="done", exit_code=0,
        version="benchmark", asked="{}", got=posts, new=posts, stored=posts, bytes=0, **counts,
    )  # fmt: skip
    for k, platform in enumerate(PLATFORMS, 1):
        insert(
            connection, "accounts", name=platform, platform=platform, platform_id=str(k),
            handle="studio", first_seen_at=end,
        )  # fmt: skip
        insert(
            connection, "coverage", account_id=k, source="ayrshare", stream="posts", newest=end,
            oldest=iso(BEGAN), reached_start=1, run_id=1,
        )  # fmt: skip
        insert(
            connection, "run_accounts", run_id=1, name=platform, source="ayrshare", account_id=k,
            started_at=end,
            finished_at=end, outcome="done", full=1, complete=1, unmapped=0, got=0, new=0, stored=0,
            **counts,
        )  # fmt: skip


class _Rows:
    """Rows of all tables, for a range of posts; newest first, as a first backup saves them."""

    TABLES = (
        "posts", "post_sources", "relations", "revisions", "events", "metrics", "attachments",
        "media", "renditions",
    )  # fmt: skip

    def __init__(self, folder: Path, dice: random.Random, posts: int) -> None:
        self.folder = folder
        self.dice = dice
        self.posts = posts
        self.text = ""
        self.numbers = {
            table: itertools.count(1)
            for table in ("relations", "revisions", "events", "renditions")
        }

    def batch(self, start: int, end: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Table and rows: parents first."""
        made: dict[str, list[dict[str, Any]]] = {name: [] for name in self.TABLES}
        for k in range(start, end):
            self._one(k, made)
        return iter(made.items())

    def _one(self, k: int, made: dict[str, list[dict[str, Any]]]) -> None:
        dice, post = self.dice, k + 1
        account, kind_of_post = _account(k), dice.choice(KINDS)
        at = iso(_published(k, self.posts))
        if k % 10 != 1:  # else it says what another account has said
            self.text = " ".join(dice.choices(WORDS, k=dice.randrange(4, 40)))
        text = self.text + (f" {NEEDLE}" if k % 10_000 == 77 else "")
        edited = at if k % 500 == 3 else None
        omitted = k % 300 == 7
        name = str(10**17 + k)
        raw = json.dumps({"id": name, "post": text, "created": at, "pad": "x" * 700})
        made["posts"].append({
            "id": post, "account_id": account + 1, "platform": PLATFORMS[account],
            "platform_id": name, "created_at": at, "text": text, "kind": kind_of_post,
            "url": f"https://example.com/{k}", "first_seen_at": at, "last_seen_at": at,
            "edited_at": edited, "removed_at": at if k % 2000 == 5 else None, "raw": raw,
        })  # fmt: skip
        if (answered := self._answered(k, kind_of_post)) is not None:
            made["relations"].append({
                "id": next(self.numbers["relations"]), "post_id": post, "kind": "reply_to",
                "platform_id": str(10**17 + answered),
            })  # fmt: skip
        content = hashlib.sha256(text.encode())
        made["post_sources"].append({
            "post_id": post, "source": "ayrshare", "record_id": name, "first_seen_at": at,
            "edit": int(edited is not None),
            "fingerprint": content.digest(), "content_version": 1,
            "content_sha256": content.hexdigest(), "view": "{}",
            "record_sha256": content.digest(), "reader": b"unknown.",
        })  # fmt: skip
        for number in (1, 2) if edited else (1,):
            made["revisions"].append({
                "id": next(self.numbers["revisions"]), "post_id": post, "number": number,
                "edit": number - 1, "why": "first" if number == 1 else "edited",
                "seen_at": at, "run_id": 1, "source": "ayrshare", "content_version": 1,
                "content_sha256": content.hexdigest(), "raw": raw,
            })  # fmt: skip
        made["events"].append({
            "id": next(self.numbers["events"]), "post_id": post, "run_id": 1, "at": at,
            "what": "seen", "source": "ayrshare",
        })  # fmt: skip
        for metric in ("likes", "comments", "views"):
            made["metrics"].append({
                "post_id": post, "attachment_id": 0, "name": metric, "seen_at": at,
                "value": dice.randrange(5000),
            })  # fmt: skip
        kind = "video" if k % 4 == 0 else "image"
        made["attachments"].append({
            "id": post, "post_id": post, "position": 0, "key": f"m{k}", "kind": kind,
            "source": "ayrshare",
            "omitted": int(omitted), "first_revision": 1,
        })  # fmt: skip
        for role in ("original", "thumbnail"):
            self._file(post, account + 1, role, kind, at, omitted and role == "original", made)

    def _answered(self, k: int, kind: str) -> int | None:
        """Which post this one replies to: the one before of its account, or that of all replies."""
        long_thread = self.posts // 2
        if long_thread - 3000 <= k < long_thread and _account(k) == _account(long_thread):
            return long_thread
        if kind != "reply":
            return None
        older = range(k + 1, min(k + 10 * ACCOUNTS, self.posts))
        return next((other for other in older if _account(other) == _account(k)), None)

    def _file(
        self, post: int, account: int, role: str, kind: str, at: str, omitted: bool,
        made: dict[str, list[dict[str, Any]]],
    ) -> None:  # fmt: skip
        still = role == "thumbnail" or kind == "image"
        data = f"{post} {role}".encode()
        sha256 = hashlib.sha256(data).hexdigest()
        state = "omitted" if omitted else "gone" if post % 1000 == 9 else "stored"
        if state == "stored":
            path = f"media/{sha256[:2]}/{sha256}.jpg"
            made["media"].append({
                "sha256": sha256, "path": path, "size": len(data),
                "content_type": "image/jpeg" if still else "video/mp4", "width": 1080,
                "height": 1080, "stored_at": at,
            })  # fmt: skip
            if int(sha256[:16], 16) * PARTS >> 64 == MEASURED - 1:
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / path).write_bytes(data)
        made["renditions"].append({
            "id": next(self.numbers["renditions"]), "attachment_id": post,
            "account_id": account, "source": "ayrshare", "role": role,
            "media_key": f"m{post}", "url": f"https://cdn.example.com/{sha256}", "state": state,
            "reason_code": "copyright" if omitted else None,
            "reason": "copyright" if omitted else None,
            "media_sha256": sha256 if state == "stored" else None, "tries": 0, "published_at": at,
        })  # fmt: skip


def _account(k: int) -> int:
    """The account of a post, 0 to 9: as good as by chance, but known of every other post too."""
    return (k * 2_654_435_761 >> 12) % ACCOUNTS


def _published(k: int, posts: int) -> datetime:
    """When post `k` of so many was published; the first is the newest."""
    busy = posts - posts // EARLY
    if k < busy:
        return ENDED - (ENDED - BUSY) * (k / busy)
    return BUSY - (BUSY - BEGAN) * ((k - busy) / (posts - busy))


def iso(moment: datetime) -> str:
    """As the archive writes times."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Took:
    """How long a page took, in milliseconds: medians over HTTP, after the first request."""

    wall: float
    processor: float  # of the server, which other programs on the machine do not lengthen
    first: float


def measure(folder: Path, rounds: int) -> dict[str, Took]:
    """Ask for every page so often. NaN for a page that did not come."""
    database = folder / "archive.db"
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        pages = dict(_pages(connection))
    browse = subprocess.Popen(
        [sys.executable, "-m", "archiver", "browse", str(folder), "--port", "0", "--no-open"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert browse.stdout is not None
    said = browse.stdout.readline()
    try:
        return _ask(pages, said.split(" is at ")[1].split()[0], browse.pid, rounds)
    finally:
        browse.terminate()
        browse.wait()


def _ask(pages: dict[str, str], address: str, server: int, rounds: int) -> dict[str, Took]:
    found = {}
    clock = (~server << 3) | 2  # what clock_getcpuclockid(3) gives for a process, on Linux
    with httpx.Client(base_url=address, timeout=120) as client:
        client.get("/archive/-/numbers")  # comes when the metrics are counted, beside all pages
        for name, path in pages.items():
            times = [_timed(partial(client.get, path), clock) for _ in range(rounds + 1)]
            wall, processor = zip(*times[1:], strict=True)
            found[name] = Took(statistics.median(wall), statistics.median(processor), times[0][0])
            print(f"{name:28} {found[name].wall:8.1f} ms, {found[name].processor:8.1f} ms of"
                  f" processor time; first {found[name].first:8.1f} ms", flush=True)  # fmt: skip
    return found


def _timed(work: Callable[[], Any], clock: int) -> tuple[float, float]:
    """Milliseconds by the wall clock, and by the other one."""
    begun, used = time.perf_counter(), time.clock_gettime(clock)
    answer = work()
    if answer.status_code != 200:
        return float("nan"), float("nan")
    return (time.perf_counter() - begun) * 1000, (time.clock_gettime(clock) - used) * 1000


def table(found: dict[str, Took]) -> str:
    """A line of Markdown for each page."""
    lines = ["| page | time | processor time |", "|---|---|---|"]
    lines += [f"| {name} | {t.wall:,.1f} ms | {t.processor:,.1f} ms |" for name, t in found.items()]
    return "\n".join(lines)


def _pages(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Name and path of each page that is measured."""
    yield "home", "/archive/-/home"
    yield from _lists(connection)
    yield from _other_pages(connection)


def _lists(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    def at(offset: str) -> str:
        row = connection.execute(
            "SELECT created_at, id FROM posts WHERE created_at < ? ORDER BY created_at DESC, id",
            (offset,),
        ).fetchone()
        return f"{row[0]}~{row[1]}"

    deep = at("2015-06-01")
    base = "/archive/-"
    yield "timeline", f"{base}/timeline"
    yield "timeline, deep", f"{base}/timeline?before={deep}"
    yield "one account, deep", f"{base}/timeline?account=threads&before={deep}"
    yield "one platform", f"{base}/timeline?platform=twitter"
    yield "one account", f"{base}/timeline?account=threads"
    yield "oldest first", f"{base}/timeline?order=oldest"
    yield "going to a month", f"{base}/timeline?at=2018-05"
    yield "a month", f"{base}/timeline?since=2016-02&until=2016-02"
    yield "some days", f"{base}/timeline?since=2016-02-10&until=2018-05-20"
    for flag in ("media", "edited", "removed", "omitted"):
        yield flag, f"{base}/timeline?{flag}=1"
    yield "one account, removed", f"{base}/timeline?account=threads&removed=1"
    yield "one account, a kind", f"{base}/timeline?account=threads&kind=reel"
    yield "kind, deep", f"{base}/timeline?kind=reel&before={deep}"
    yield "search, rare", f"{base}/timeline?q={NEEDLE}"
    yield "search, common", f"{base}/timeline?q=harbour"
    yield "search, common, deep", f"{base}/timeline?q=harbour&before={deep}"
    yield "search, two words", f"{base}/timeline?q=harbour+{NEEDLE}"
    yield "search, two characters", f"{base}/timeline?q=釉薬"
    yield "search, nothing", f"{base}/timeline?q=nothingsaysthis"
    yield "gallery", f"{base}/gallery"
    yield "gallery, edited", f"{base}/gallery?edited=1"
    yield "most liked first", f"{base}/timeline?order=likes"
    yield "most liked first, deep", f"{base}/timeline?order=likes&before=2500~77"
    yield "most liked first, one account", f"{base}/timeline?order=likes&account=threads"
    yield "most liked first, a month", f"{base}/timeline?order=likes&since=2016-02&until=2016-02"
    yield "most liked first, a search", f"{base}/timeline?order=likes&q=harbour"
    yield "gallery, most liked first", f"{base}/gallery?order=likes"
    yield "gallery, deep", f"{base}/gallery?before={deep}"


def _other_pages(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    base = "/archive/-"
    middle = connection.execute("SELECT max(id) / 2 FROM posts").fetchone()[0]
    yield "viewer", f"{base}/gallery/{middle}"
    yield "post", f"{base}/post/{middle}"
    reply = connection.execute("SELECT post_id FROM relations ORDER BY id").fetchone()[0]
    yield "thread", f"{base}/thread/{reply}"
    yield "thread of hundreds of posts", f"{base}/thread/{_busiest(connection)}"
    yield "evidence sheet", f"{base}/post/{middle}/evidence"
    yield "numbers", f"{base}/numbers"
    yield "missing", f"{base}/missing"
    yield "missing, one account", f"{base}/missing?state=gone&account=threads"
    yield "on this day", f"{base}/on-this-day?day=03-14"
    yield "runs", f"{base}/runs"
    yield "print", f"{base}/print?account=threads&since=2016-02&until=2016-02"
    yield "Datasette: the tables", "/archive"
    yield "Datasette: posts", "/archive/posts"
    yield "Datasette: posts of an account", "/archive/posts?account_id=3"
    yield "Datasette: a post", f"/archive/posts/{middle}"
    yield "Datasette: renditions", "/archive/renditions"
    for view in ("timeline", "missing_media", "latest_metrics"):
        yield f"Datasette: {view}", f"/archive/{view}"


def _busiest(connection: sqlite3.Connection) -> int:
    """The post with the most replies."""
    found: int = connection.execute(
        "SELECT posts.id FROM relations JOIN posts ON posts.platform_id = relations.platform_id "
        "GROUP BY 1 ORDER BY count(*) DESC"
    ).fetchone()[0]
    return found


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
    measurer.add_argument("--write", action="store_true", help="into docs/performance.md")
    args = parser.parse_args()
    if args.command == "make":
        make(args.folder, args.posts, args.seed)
    else:
        found = measure(args.folder, args.rounds)
        if args.write:
            put_figures(PAGE, "pages", table(found))


if __name__ == "__main__":
    main()
