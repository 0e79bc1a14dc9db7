"""What follows an answer on its connection must not be taken for the next one."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from archiver.net.transport import Transport
from support.net.wire import Reply, http, wire

pytestmark = pytest.mark.anyio
CERTIFICATE = Path(__file__).parent.parent / "net" / "media.example.pem"


async def get(transport: Transport, url: str) -> bytes:
    response = await transport.handle_async_request(httpx.Request("GET", url))
    try:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        return b"".join([chunk async for chunk in response.stream])
    finally:
        await response.aclose()


FORGED = http(200, b"forged").data


@pytest.mark.parametrize("more", [FORGED, b"x", b"\r\n", FORGED[:20], FORGED * 1000])
async def test_what_follows_an_answer_is_not_the_next_one(more: bytes) -> None:
    first = Reply(http(200, b"first").data + more)
    async with (
        wire(first, http(200, b"second")) as server,
        Transport(connections=2, per_host=2) as transport,
    ):
        assert await get(transport, server.url()) == b"first"
        assert await get(transport, server.url()) == b"second"
        assert server.connections == 2


async def test_an_answer_and_nothing_more_keeps_its_connection() -> None:
    async with (
        wire(http(200, b"first"), http(200, b"second")) as server,
        Transport(connections=2, per_host=2) as transport,
    ):
        assert await get(transport, server.url()) == b"first"
        assert await get(transport, server.url()) == b"second"
        assert server.connections == 1


@asynccontextmanager
async def tls_server(reply: bytes) -> AsyncIterator[tuple[int, list[int]]]:
    """An https server that writes each reply in records of its own; counts connections."""
    import asyncio

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.writelines([http(200, b"honest").data, reply])
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], connections


@pytest.mark.parametrize(("more", "expected"), [(FORGED, 2), (b"", 1)])
async def test_neither_is_what_is_still_encrypted(more: bytes, expected: int) -> None:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname = False
    trust.verify_mode = ssl.CERT_NONE
    async with (
        tls_server(more) as (port, connections),
        Transport(connections=2, per_host=2, ssl_context=trust) as transport,
    ):
        for _ in range(2):
            assert await get(transport, f"https://127.0.0.1:{port}/") == b"honest"
        assert len(connections) == expected
