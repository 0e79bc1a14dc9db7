"""One account that two sources show: `paper`, the network's own, and `kiosk`, which stands between.

Both tell of the same issues in ways of their own: the paper proves what it holds, has a version and
no order of times; the kiosk has other ids, no alt texts, shortened links, no proof, and shows what
it fetched last.

    with gazette(tmp_path) as world:
        world.publish("Good morning", pictures=1)
        world.backup("kiosk")
        world.backup("paper", "kiosk")
"""

import json
import re
import struct
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from archiver import (
    Account,
    AccountGone,
    Alias,
    Attachment,
    Extra,
    Identity,
    Kit,
    Listing,
    Metric,
    Page,
    Post,
    Rank,
    Record,
    Rendition,
    SourceDown,
    Stream,
    Version,
    Window,
    timestamp,
)
from archiver.clock import DemoClock
from archiver.config import Config, load_config
from archiver.plugins import Loaded, Origin, Plugins
from archiver.report import RunReport
from archiver.webserver import listen_on_loopback, origin_of, running
from support.archive_folder import ArchiveFolder, backup_now
from support.loop_time import LoopTime

SOURCES = ("paper", "kiosk")


@dataclass(frozen=True)
class Nothing:
    """No settings, and no options."""


@dataclass
class Issue:
    """One post of the gazette, as it is today."""

    number: int
    at: str
    text: str
    pictures: list[str] = field(default_factory=list)
    likes: int = 0
    removed: bool = False
    edited_at: str | None = None
    versions: list[tuple[str, str]] = field(default_factory=list)

    def edit(self, text: str, at: str) -> None:
        """Another text from a time on; the network keeps the one before."""
        self.versions.append((self.text, self.edited_at or self.at))
        self.text, self.edited_at = text, at


@dataclass
class GazetteWorld(ArchiveFolder):
    """The account, what the kiosk last fetched of it, and an archive of both."""

    folder: Path
    origin: str = ""
    clock: DemoClock = field(default_factory=DemoClock)
    issues: list[Issue] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    title: str = "The Gazette"
    avatar: str = "logo"
    state: str | None = None
    paper: "Paper | None" = None
    kiosk: "Kiosk | None" = None
    counts_fail: bool = False
    hidden: int = 0  # so many first pictures of each issue the kiosk does not show
    names_files: bool = False
    _shown: list[Issue] = field(default_factory=list)
    _fetched_at: str = ""

    def publish(self, text: str, *, pictures: int = 0) -> Issue:
        """A new issue, a minute after the last thing that happened."""
        self.clock.advance(minutes=1)
        number = len(self.issues) + 1
        names = [f"{number}-{place}" for place in range(pictures)]
        issue = Issue(number, timestamp(self.clock.now()) or "", text, names)
        self.issues.append(issue)
        return issue

    def next_night(self) -> None:
        """Let a day pass."""
        self.clock.advance(days=1)

    def fetch(self) -> None:
        """The kiosk asks the network what there is; until then it shows what there was."""
        self._shown = [replace(issue, pictures=[*issue.pictures]) for issue in self.issues]
        self._fetched_at = timestamp(self.clock.now()) or ""

    def backup(self, *sources: str, stale: bool = False, **asked: Any) -> RunReport:
        """Back the account up through these sources, in this order."""
        if not stale:
            self.fetch()
        config = self._config(sources or SOURCES)
        return backup_now(config, self.plugins(), self.clock, LoopTime().options, now=True, **asked)

    def plugins(self) -> Plugins:
        """The two sources, each with its platform."""
        origin = Origin("gazette", "gazette", "gazette", "1")
        sources = (
            GazetteSource("paper", "native", self),
            GazetteSource("kiosk", "middleman", self),
        )
        return Plugins((Loaded(origin, sources, (self.paper or Paper(), self.kiosk or Kiosk())),))

    def _config(self, sources: Sequence[str]) -> Config:
        path = self.folder / "archive.toml"
        path.write_text(
            '[archive]\ndirectory = "archive"\n[network]\nallow = ["127.0.0.0/8"]\n'
            + "".join(
                f'[[accounts]]\nname = "gazette"\nplatform = "gazette"\nsource = "{source}"\n'
                for source in sources
            )
        )
        return load_config(path)

    # What the two sources say

    def paper_version(self) -> str:
        """The state of the whole account in one word."""
        return sha256(json.dumps(self.paper_records()).encode()).hexdigest()[:12]

    def paper_records(self) -> list[dict[str, Any]]:
        """As the network itself has them: in an order of its own."""
        there = [issue for issue in self.issues if not issue.removed]
        return [
            {
                "key": f"g:{issue.number}",
                "at": issue.at,
                "text": issue.text,
                "langs": ["en"],
                "edited": issue.edited_at,
                "pictures": [
                    {"alt": f"Picture {name}", "ref": f"blob-{name}",
                     "sha256": sha256(png(name)).hexdigest() if self.names_files else None,
                     "url": f"{self.origin}/blob/{name}"}
                    for name in issue.pictures
                ],
            }
            for issue in sorted(there, key=lambda issue: issue.number * 7 % 5)
        ]  # fmt: skip

    def kiosk_records(self) -> list[dict[str, Any]]:
        """As the kiosk last saw them, newest first."""
        there = [issue for issue in self._shown if not issue.removed]
        return [
            {
                "id": f"k{issue.number}",
                "key": f"g:{issue.number}",
                "created": issue.at,
                "post": re.sub(r"https://\S+", "short.example/x…", issue.text),
                "likes": issue.likes,
                "images": [f"{self.origin}/cdn/{name}" for name in issue.pictures[self.hidden :]],
            }
            for issue in reversed(there)
        ]


@dataclass(frozen=True)
class GazetteSource:
    """A source whose client is the world itself."""

    name: str
    rank: Rank
    world: GazetteWorld
    settings: type[Any] = Nothing

    def open(self, settings: Any, account: Account, kit: Kit) -> GazetteWorld:
        return self.world


class Paper:
    """The network's own."""

    name = "gazette"
    source = "paper"
    options: type[Any] = Nothing
    streams: Sequence[Stream] = ("posts",)
    content_version = 1
    listing: Listing = "all"

    async def pages(
        self, client: GazetteWorld, account: Account, window: Window
    ) -> AsyncIterator[Page]:
        client.asked["paper"] += 1
        if client.state is not None:
            raise AccountGone("The gazette is suspended", state="suspended")
        version = client.paper_version()
        if window.version == version and not window.is_full:
            yield Page((), version=version)
            return
        records = tuple(Record(json.dumps(raw), raw) for raw in client.paper_records())
        yield Page(
            records, reached_start=True, version=version, authoritative=True, ordered=False,
            identity=Identity("gazette", "g", handle="gazette.example", title=client.title,
                description="News of every day",
                avatar=Rendition("original", f"{client.origin}/avatar/{client.avatar}"),
                banner=None),
        )  # fmt: skip

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        return str(record["key"])

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        return Post(
            record["key"],
            created_at=record["at"],
            text=record["text"],
            edited_at=record.get("edited"),
            attachments=tuple(
                Attachment(
                    "image", picture["ref"], alt_text=picture["alt"],
                    renditions=(
                        Rendition("original", picture["url"], sha256=picture["sha256"]),
                    ),
                )
                for picture in record["pictures"]
            ),
            content={"text": record["text"], "langs": record["langs"]},
            extra=(Extra("languages", record["langs"], is_content=True),),
        )  # fmt: skip


class PaperWithHistory(Paper):
    """The network's own, where it keeps earlier versions, and tells numbers apart."""

    async def history(
        self, client: GazetteWorld, account: Account, platform_id: str
    ) -> Sequence[Version]:
        client.asked["history"] += 1
        (raw,) = [raw for raw in client.paper_records() if raw["key"] == platform_id]
        issue = client.issues[int(platform_id[2:]) - 1]
        told = [*issue.versions, (issue.text, issue.edited_at or issue.at)]
        records = [({**raw, "text": text, "edited": None}, at) for text, at in told]
        return [Version(Record(json.dumps(record), record), at) for record, at in records]

    async def metrics(
        self, client: GazetteWorld, account: Account, platform_ids: Sequence[str]
    ) -> AsyncIterator[Mapping[str, Sequence[Metric]]]:
        for start in range(0, len(platform_ids), 2):
            client.asked["metrics"] += 1
            if client.counts_fail:
                raise SourceDown("The counter is down")
            yield {
                name: (Metric("likes", client.issues[int(name[2:]) - 1].likes),)
                for name in platform_ids[start : start + 2]
            }


class Kiosk:
    """What stands between."""

    name = "gazette"
    source = "kiosk"
    options: type[Any] = Nothing
    streams: Sequence[Stream] = ("posts",)
    content_version = 1
    listing: Listing = "all"

    async def identify(self, client: GazetteWorld, account: Account) -> Identity | None:
        return Identity("gazette", "g", handle="gazette.example", title="GAZETTE")

    async def pages(
        self, client: GazetteWorld, account: Account, window: Window
    ) -> AsyncIterator[Page]:
        client.asked["kiosk"] += 1
        records = tuple(Record(json.dumps(raw), raw) for raw in client.kiosk_records())
        yield Page(records, reached_start=True, updated_at=client._fetched_at)

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        return str(record["id"])

    def read(self, record: Mapping[str, Any], account: Account) -> Post:
        return Post(
            record["id"],
            created_at=record["created"],
            text=record["post"],
            url=f"https://kiosk.example/{record['id']}",
            aliases=(Alias("key", record["key"]),),
            metrics=(Metric("likes", record["likes"]),),
            attachments=tuple(
                Attachment("image", renditions=(Rendition("original", url),))
                for url in record["images"]
            ),
            content={"post": record["post"]},
        )


@contextmanager
def gazette(folder: Path) -> Iterator[GazetteWorld]:
    """A gazette whose pictures are served."""
    world = GazetteWorld(folder)
    sockets = listen_on_loopback(0)
    world.origin = origin_of(sockets[0])

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        world.sent[path] += 1
        body = png(path.rpartition("/")[2])
        headers = [(b"content-type", b"image/png"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    with running(serve, sockets, quiet=True):
        yield world


def png(name: str) -> bytes:
    """A small picture, whose colours are its name's."""
    colours = sha256(name.encode()).digest()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    rows = b"\0" + colours[:6] + b"\0" + colours[6:12]
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )  # fmt: skip
