"""The rows of the table: what is compared, with whom, and how far off it may be."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archiver.archive.database import reader
from benchmarks.clients.world import SUFFIX
from benchmarks.downloads import CLIENTS, OUT, Job
from benchmarks.environment import PYTHON
from benchmarks.rounds import Command, Resource, Rounds, interleaved
from benchmarks.web import CORPORA, Web


@dataclass(frozen=True)
class Row:
    """One line of the table: ratios are of ours to the peer, in `unit` (wall, cpu, memory)."""

    job: str
    ours: str
    peer: str
    ratio: float
    target: float
    note: str = ""

    def __str__(self) -> str:
        mark = "yes" if self.ratio <= self.target else "**no**"
        note = f" {self.note}" if self.note else ""
        return (
            f"| {self.job} | {self.ours} | {self.peer} | {self.ratio:.2f}× | "
            f"≤ {self.target:g}× | {mark}{note} |"
        )


def row(job: str, found: Rounds, peer: str, target: float, what: Resource = "wall") -> Row:
    """A line from rounds in which `archiver` ran beside this peer."""
    unit = "MiB" if what == "memory" else "s"
    digits = 0 if what == "memory" else 3 if found.median(peer, what) < 1 else 2
    ours, theirs = (f"{found.median(n, what):.{digits}f} {unit}" for n in ("archiver", peer))
    word = " of CPU" if what == "cpu" else ""
    return Row(job, ours + word, f"{peer}: {theirs}", found.ratio("archiver", peer, what), target)


def downloads(web: Web, rounds: int) -> Iterator[Row]:
    """Small, late, middling and large files."""
    small = f"{CORPORA['small'][0]:,} × 60 KB"
    found = Job(web, "small", 16).compare("aiohttp", rounds=rounds)
    yield row(f"{small}, 16 connections", found, "aiohttp", 1.2)
    yield row(f"{small}, 16 connections: peak memory", found, "aiohttp", 1.5, "memory")
    for connections, target in ((16, 1.0), (32, 1.0), (64, 1.2)):
        found = Job(web, "small", connections, "slow").compare("curl", rounds=rounds)
        yield row(f"{small}, 30 ms late, {connections} connections", found, "curl", target)
    found = Job(web, "medium", 16).compare("aiohttp", rounds=rounds)
    yield row("300 × 1 MB, 16 connections", found, "aiohttp", 1.05)
    for way, target in (("plain", 1.0), ("tls", 1.1)):
        found = Job(web, "large", 4, way).compare("aiohttp", rounds=rounds)
        name = f"8 × 100 MB, 4 connections, {way.upper() if way == 'tls' else way}"
        yield row(name, found, "aiohttp", target)
        yield row(f"{name}: peak memory", found, "aiohttp", 1.5, "memory")


def durability(web: Web, rounds: int) -> Iterator[Row]:
    """What it costs that a file is on the disk before its row says so."""
    for corpus, connections, name, target in (
        ("small", 16, "2,000 × 60 KB, 16 connections", 1.25),
        ("large", 4, "8 × 100 MB, 4 connections, plain", 1.1),
    ):
        found = Job(web, corpus, connections).compare("no sync", rounds=rounds)
        yield row(f"{name}, beside itself", found, "no sync", target)


def posts(count: int, rounds: int) -> Iterator[Row]:
    """Writing many posts, and finding that nothing has changed."""
    folder = OUT / "posts"
    shutil.rmtree(folder, ignore_errors=True)

    def client(what: str, *, fresh: bool = False) -> Command:
        def command(number: int) -> Sequence[str | Path]:
            place = folder / (f"{what}.{number}" if fresh else "all")
            return [sys.executable, "-m", "benchmarks.clients.posts", what, place, str(count)]

        return command

    clients = {
        "archiver": client("write", fresh=True),
        "executemany": client("raw", fresh=True),
        "executemany and a trigger": client("trigger", fresh=True),
    }
    found = interleaved(clients, rounds)
    name = f"{count:,} posts and {2 * count:,} renditions written, with search"
    yield row(name, found, "executemany", 2.0)
    yield row(name, found, "executemany and a trigger", 1.1)
    for what in ("write", "settle"):
        interleaved({what: client(what)}, 1)
    for what, name, target in (("again", "", 1.8), ("signed", ", every address signed anew", 3.0)):
        found = interleaved({"archiver": client(what), "floor": client("floor")}, rounds)
        yield row(f"{count:,} unchanged posts, a full scan{name}", found, "floor", target, "cpu")
    shutil.rmtree(folder)


def starting(rounds: int) -> Iterator[Row]:
    """What a command costs before it does anything."""
    archiver = Path(sys.executable).with_name("archiver")
    commands: dict[str, Sequence[str | Path]] = {
        "archiver": [archiver, "--help"],
        "gallery-dl --help": [PYTHON.with_name("gallery-dl"), "--help"],
        "ten-line click group": [PYTHON, CLIENTS / "click_group.py", "--help"],
    }
    found = interleaved({name: always(command) for name, command in commands.items()}, 3 * rounds)
    yield row("`archiver --help`", found, "gallery-dl --help", 0.75, "cpu")
    yield row("`archiver --help`", found, "ten-line click group", 1.3, "cpu")


def always(command: Sequence[str | Path]) -> Command:
    """The same command in every round."""
    return lambda _: command


def verifying(rounds: int) -> Iterator[Row]:
    """Reading everything back."""
    folder = OUT / "verify"
    shutil.rmtree(folder, ignore_errors=True)
    client = [sys.executable, "-m", "benchmarks.clients.reading"]
    interleaved({"make": lambda _: [*client, "make", folder]}, 1)
    found = interleaved(
        {
            "archiver": lambda _: [*client, "verify", folder],
            "hashlib, two threads": lambda _: [*client, "hash", folder],
        },
        rounds,
    )
    yield row("`verify` of 2,000 × 1 MB", found, "hashlib, two threads", 1.1)
    shutil.rmtree(folder)


def whole(rounds: int) -> Iterator[Row]:
    """A first backup of everything, start to end, and gallery-dl on the same files."""
    folder = OUT / "whole"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archiver = Path(sys.executable).with_name("archiver")
    urls = folder / "urls"

    def ours(number: int) -> Sequence[str | Path]:
        place = folder / f"ours.{number}"
        place.mkdir()
        shutil.copy(folder / "archive.toml", place)
        return [archiver, "--config", place / "archive.toml", "-q", "backup"]

    def theirs(number: int) -> Sequence[str | Path]:
        return [
            PYTHON.with_name("gallery-dl"), "--config-ignore", "-q",
            "-D", folder / f"theirs.{number}", "--input-file", urls,
        ]  # fmt: skip

    world = [sys.executable, "-m", "benchmarks.clients.world", folder]
    with subprocess.Popen([*map(str, world)], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        try:
            server.stdout.readline()
            interleaved({"first": ours}, 1)
            urls.write_text("\n".join(_stored(folder / "ours.0" / "archive")))
            shutil.rmtree(folder / "ours.0")
            found = interleaved({"archiver": ours, "gallery-dl": theirs}, rounds)
        finally:
            server.terminate()
    name = "a whole first backup, 10 accounts × 200 posts with media, 30 ms late"
    yield row(name, found, "gallery-dl", 0.07)
    shutil.rmtree(folder)


def _stored(archive: Path) -> list[str]:
    with reader(archive) as connection:
        query = "SELECT url FROM renditions WHERE state = 'stored'"
        split = (url.partition("?") for (url,) in connection.execute(query))
        return [f"{path}{SUFFIX}{mark}{rest}" for path, mark, rest in split]


PARTS: dict[str, Callable[..., Iterator[Row]]] = {
    "downloads": downloads, "durability": durability, "posts": posts, "starting": starting,
    "verifying": verifying, "whole": whole,
}  # fmt: skip
