"""A server on loopback that says exactly what a test wants, and a clock that does not wait."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from support.loop_time import running_loop
from support.net.listening import listening

LOOPBACK = ("127.0.0.0/8",)


class FakeClock:
    """Time stands still, but for sleeping, which takes no time at all."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.seconds = 1000.0
        self.tick = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(seconds=self.seconds - 1000)

    def monotonic(self) -> float:
        self.seconds += self.tick
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass(frozen=True)
class Request:
    target: str
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """Bytes to send, then: keep the connection, close it, reset it, say nothing more, or drip.

    Who drips sends a byte in every ten seconds of a loop with a time of its own.
    """

    data: bytes = field(repr=False)
    then: Literal["keep", "close", "reset", "hang", "drip"] = "keep"


Answer = Reply | Callable[[Request], Reply]


def http(
    status: int = 200,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    length: int | None = -1,
    then: Literal["keep", "close", "reset", "hang", "drip"] = "keep",
) -> Reply:
    """An answer; `length` other than the body's is a lie, None says nothing and closes."""
    fields = dict(headers or {})
    if length is not None:
        fields["Content-Length"] = str(len(body) if length == -1 else length)
    elif then == "keep":
        then = "close"
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return Reply(f"HTTP/1.1 {status} So\r\n{lines}\r\n".encode() + body, then)


@dataclass
class Wire:
    """What the server has seen. The last of its answers is given again and again."""

    answers: Sequence[Answer]
    scheme: str = "http"
    port: int = 0
    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def url(self, path: str = "/file") -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def drop_all(self) -> None:
        """Close every connection from this side."""
        for writer in self.writers:
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                request = _parse(await reader.readuntil(b"\r\n\r\n"))
                length = int(request.headers.get("content-length", 0))
                request = replace(request, body=await reader.readexactly(length))
                number = min(len(self.requests), len(self.answers) - 1)
                self.requests.append(request)
                answer = self.answers[number]
                reply = answer if isinstance(answer, Reply) else answer(request)
                writer.write(reply.data)
                await writer.drain()
                if reply.then == "hang":
                    await reader.read()
                while reply.then == "drip":
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.wrap_future(running_loop().skip(10.0))
                if reply.then == "reset":
                    writer.transport.abort()
                if reply.then != "keep":
                    break
        writer.close()


def _parse(head: bytes) -> Request:
    first, *lines = head.decode().rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    method, target, _ = first.split(" ")
    return Request(target, {name.lower(): value.strip() for name, _, value in pairs}, method)


@asynccontextmanager
async def wire(*answers: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """A server with these answers, on a port of its own."""
    server = Wire(answers, scheme="http" if tls is None else "https")
    async with listening(server, tls):
        yield server
