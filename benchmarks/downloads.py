"""Downloads: this program's media side, whole, beside an aiohttp loop and curl."""

import shutil
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from archiver.archive import runs
from archiver.archive.database import DATABASE, transaction, writer
from archiver.archive.parse_context import ParseContext
from archiver.archive.posts import PostWriter
from archiver.models import Account, Attachment, AttachmentKind, Identity, Post, Record, Rendition
from benchmarks.environment import HOME, PYTHON
from benchmarks.rounds import Command, Rounds, interleaved
from benchmarks.web import CERTIFICATE, Web

CLIENTS = Path(__file__).parent / "clients"
OUT = HOME / "out"
_NUMBERS = count()
NOW = "2026-01-01T00:00:00.000Z"


class Job:
    """One set of URLs, one number of connections, and the commands that fetch them.

    Many small files stay until all rows are done: for minutes, a disk is slow to make files where
    thousands were deleted. Others do not, since memory would be full of them.
    """

    def __init__(self, web: Web, corpus: str, connections: int, way: str = "plain") -> None:
        self.connections = connections
        self.folder = OUT / f"{corpus}-{way}-{connections}.{next(_NUMBERS)}"
        self.certificate = [str(CERTIFICATE)] if way == "tls" else []
        self.folder.mkdir(parents=True)
        self.is_large = corpus == "large"
        self.is_many = corpus == "small"
        urls = web.urls(corpus, way)
        self.urls = self.folder / "urls"
        self.urls.write_text("\n".join(urls))
        self.curl = self.folder / "curl.conf"
        self.template = self.folder / "template"
        prepare_archive(self.template, urls)
        self._lines = urls

    def ours(self, number: int) -> Sequence[str | Path]:
        return self._client("ours", number)

    def unsynced(self, number: int) -> Sequence[str | Path]:
        return self._client("unsynced", number)

    def _client(self, name: str, number: int) -> Sequence[str | Path]:
        place = self._fresh(name, number)
        shutil.copy(self.template / DATABASE, place / DATABASE)
        return [
            sys.executable, "-m", f"benchmarks.clients.{name}", place, str(self.connections),
            *self.certificate,
        ]  # fmt: skip

    def aiohttp(self, number: int) -> Sequence[str | Path]:
        place = self._fresh("aiohttp", number)
        return [
            PYTHON, CLIENTS / "aiohttp_loop.py", self.urls, str(self.connections), place,
            *self.certificate,
        ]  # fmt: skip

    def curl_parallel(self, number: int) -> Sequence[str | Path]:
        place = self._fresh("curl", number)
        self.curl.write_text(
            "".join(
                f'url = "{url}"\noutput = "{place}/{url.rpartition("/")[2]}"\n'
                for url in self._lines
            )
        )
        return [
            "curl", "--no-progress-meter", "--fail", "--parallel", "--parallel-immediate", "--parallel-max",
            str(self.connections), "--config", self.curl,
            *(["--cacert", *self.certificate] if self.certificate else []),
        ]  # fmt: skip

    def compare(self, *peers: str, rounds: int = 5) -> Rounds:
        """Run ours and these peers in turn."""
        commands: dict[str, Command] = {"archiver": self.ours}
        known = {"aiohttp": self.aiohttp, "curl": self.curl_parallel, "no sync": self.unsynced}
        commands |= {peer: known[peer] for peer in peers}
        found = interleaved(commands, rounds)
        if not self.is_many:
            shutil.rmtree(self.folder)
        return found

    def _fresh(self, name: str, number: int) -> Path:
        if self.is_large:  # few files, many bytes: here it is space that counts
            for old in self.folder.glob("*.[0-9]"):
                shutil.rmtree(old)
        place = self.folder / f"{name}.{number}"
        place.mkdir()
        return place


def clean() -> None:
    """Remove what was written."""
    shutil.rmtree(OUT, ignore_errors=True)


def prepare_archive(folder: Path, urls: Sequence[str]) -> None:
    """An archive in which these files wait, two to a post."""
    folder.mkdir()
    with writer(folder) as connection:
        run_id = runs.begin_run(connection, NOW, "benchmark", {})
        account = Account("acme", "instagram", "ayrshare", None)
        account_id = runs.claim_account(connection, account, Identity("instagram", "1"), NOW)
        entries = [_entry(number, urls[number : number + 2]) for number in range(0, len(urls), 2)]
        reading = ParseContext(
            "ayrshare", 1, lambda _: entries[0][1], lambda _: [("pending", None)]
        )
        for start in range(0, len(entries), 100):
            page = PostWriter(connection, account_id, "instagram", run_id, reading, NOW)
            with transaction(connection):
                page.save(entries[start : start + 100])
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _entry(number: int, urls: Sequence[str]) -> tuple[Record, Post]:
    name = str(17_900_000_000_000_000 + number)
    kind: AttachmentKind = "video" if urls[0].endswith("mp4") else "image"
    post = Post(
        platform_id=name, kind="post", created_at=f"2025-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
        text=name, content={"post": name}, url=None, metrics=(),
        attachments=tuple(
            Attachment(kind, platform_id=url, renditions=(Rendition("original", url),))
            for url in urls
        ),
    )  # fmt: skip
    return Record(f'{{"id":"{name}"}}', {"id": name}), post


if __name__ == "__main__":
    from benchmarks.web import web

    corpus, connections, way, rounds = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    clean()
    with web() as found:
        result = Job(found, corpus, connections, way).compare("aiohttp", "curl", rounds=rounds)
    for name in result.costs:
        print(
            f"{name:10} wall {result.median(name):.2f} cpu {result.median(name, 'cpu'):.2f} "
            f"MiB {result.median(name, 'memory'):.0f} "
            f"| /aiohttp {result.ratio(name, 'aiohttp'):.2f} cpu {result.ratio(name, 'aiohttp', 'cpu'):.2f}"
            f" /curl {result.ratio(name, 'curl'):.2f}"
        )
    clean()
