"""An HTTP proxy on loopback: CONNECT for https, the whole address for http, and who may use it."""

import asyncio
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from support.net.listening import listening


@dataclass
class ProxyServer:
    """What it was asked, line by line, and with which headers. It finds every name on loopback.

    `credentials` are `user:password`, wanted from everybody. `answer` may answer a request line
    with bytes of its own; then the connection ends.
    """

    credentials: str | None = None
    answer: Callable[[str], bytes | None] = lambda _: None
    port: int = 0
    lines: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line = head.partition("\r\n")[0]
        self.lines.append(line)
        self.heads.append(head)
        said = self.answer(line)
        if said is None and not self._may(head):
            said = b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n"
        if said is not None:
            writer.write(said)
            await writer.drain()
            return False
        method, target, _ = line.split(" ")
        if method == "CONNECT":
            upstream = await self._connect(int(target.rpartition(":")[2]))
            writer.write(b"HTTP/1.0 200 Connection established\r\nVia: test\r\n\r\n")
            await asyncio.gather(_copy(reader, upstream[1]), _copy(upstream[0], writer))
            return False
        url = urlsplit(target)
        path = f"{url.path}?{url.query}" if url.query else url.path
        kept = [part for part in head.split("\r\n")[1:-2] if not part.startswith("Proxy-")]
        upstream = await self._connect(url.port or 80)
        sent = [f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]
        upstream[1].write("\r\n".join(sent).encode())
        writer.write(await _answer(upstream[0]))
        await writer.drain()
        upstream[1].close()
        return True

    def _may(self, head: str) -> bool:
        if self.credentials is None:
            return True
        wanted = b64encode(self.credentials.encode()).decode()
        return f"\r\nProxy-Authorization: Basic {wanted}\r\n" in head

    async def _connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self.writers.add(writer)
        return reader, writer


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """One answer, whose length its head tells."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)\r\n", head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxy_server(
    credentials: str | None = None, answer: Callable[[str], bytes | None] = lambda _: None
) -> AsyncIterator[ProxyServer]:
    """A proxy on a port of its own."""
    proxy = ProxyServer(credentials, answer)
    async with listening(proxy):
        yield proxy
