"""Addresses that must not be fetched from, in posts that a whole backup reads.

Four ways lead to each: the post names it, a public server redirects to it, a public name resolves
to it, or does so only when it is asked a second time.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from archiver.net import fetch
from archiver.net.guard import GuardedBackend
from archiver.net.sockets import Sockets, Stream
from archiver.report import RunReport
from net.test_guard import PRIVATE, PRIVATE_6, PUBLIC, SPELLINGS
from support import nights as nights_module
from support.transfer.faultserver import Behaviour, Talk
from support.transfer.worlds import behind

TARGETS = [*PRIVATE, *PRIVATE_6]
WAYS = ("direct", "redirect", "DNS", "mixed DNS", "rebinding")


@dataclass
class Network:
    """A resolver and a connector that write everything down; one public server stands behind."""

    port: int
    answers: dict[str, list[list[str]]] = field(default_factory=dict)
    dialled: list[tuple[str, int]] = field(default_factory=list)

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        given = self.answers.get(host, [[PUBLIC]])
        return given.pop(0) if len(given) > 1 else given[0]

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None) -> Stream:
        self.dialled.append((host, port))
        if host != PUBLIC:
            raise httpx.ConnectError("nobody there")
        return await Sockets().connect_tcp("127.0.0.1", self.port, timeout)

    @property
    def strays(self) -> list[tuple[str, int]]:
        """Everything that was called besides the public web server."""
        return [found for found in self.dialled if found not in {(PUBLIC, 80), (PUBLIC, 443)}]


@dataclass(frozen=True)
class Outcome:
    """What was tried, called rightly (`public`) and wrongly (`strays`), and how the run went."""

    tried: int
    public: int
    strays: list[tuple[str, int]]
    stored: int
    report: RunReport


def attempt(folder: Path, patch: pytest.MonkeyPatch, way: str) -> Outcome:
    """One backup of posts with every address, in one of the `WAYS`."""
    closed = nights_module._CONFIG.replace('["127.0.0.0/8"]', "[]")
    patch.setattr(nights_module, "_CONFIG", closed)
    with behind(folder, "instagram") as world:
        world.world.account("instagram")
        network = Network(world.faults.port)
        urls = _urls(network, way)
        world.faults.rule("/api/history/", _history(urls))
        world.faults.rule("/target/", _lead(way))

        def backend(guard: object) -> GuardedBackend:
            return GuardedBackend(guard, resolver=network.resolve, connector=network)  # type: ignore[arg-type]  # as it came

        patch.setattr(fetch, "GuardedBackend", backend)
        report = world.backup()
        stored = world.world.column("SELECT count(*) FROM renditions WHERE state = 'stored'")
        return Outcome(len(urls), len(network.dialled), network.strays, stored[0], report)


def _urls(network: Network, way: str) -> list[str]:
    if way == "direct":
        return SPELLINGS
    if way == "redirect":
        return [f"http://first.example/target/{number}.jpg" for number in range(len(SPELLINGS))]
    for number, target in enumerate(TARGETS):
        answers = {"DNS": [[target]], "mixed DNS": [[PUBLIC, target]]}
        network.answers[f"n{number}.example"] = answers.get(way, [[PUBLIC], [target]])
    return [f"http://{name}/target/0.jpg" for name in network.answers]


def _history(urls: Sequence[str]) -> Behaviour:
    posts = [
        {"id": str(number), "created": "2026-03-01T09:00:00Z", "post": "Look at this",
         "mediaType": "IMAGE", "mediaUrl": url, "thumbnailUrl": url}
        for number, url in enumerate(urls)
    ]  # fmt: skip
    body = json.dumps({"status": "success", "posts": posts}).encode()

    def answer(talk: Talk) -> bool:
        talk.answer(body)
        return True

    return answer


def _lead(way: str) -> Behaviour:
    """Redirect to the address of that number, or (rebinding) fail so that it is asked again."""

    def lead(talk: Talk) -> None:
        number = int(talk.asked.target.rpartition("/")[2].partition(".")[0])
        if way == "redirect":
            location = SPELLINGS[number].encode()
            talk.send(b"HTTP/1.1 302 So\r\nLocation: " + location + b"\r\n")
            talk.send(b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        else:
            talk.answer(b"", {"connection": "close"}, status=503)

    return lead
