"""TLS: the name is checked, whatever address was dialled, and no certificate is waved through."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from archiver.errors import MediaError
from archiver.net.fetch import MediaClient
from archiver.net.guard import AddressGuard, GuardedBackend
from archiver.net.transport import Transport
from net.wire import FakeClock

pytestmark = pytest.mark.anyio

CERTIFICATE = Path(__file__).with_name("media.example.pem")


@asynccontextmanager
async def tls_server() -> AsyncIterator[tuple[int, list[str]]]:
    """A server for media.example: its port, and the names that clients asked for by SNI."""
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.sni_callback = lambda _, name, __: names.append(name)
    tasks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        await reader.read()
        writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], names
    finally:
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def resolve(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def client(trusted: ssl.SSLContext | None) -> MediaClient:
    guard = AddressGuard(["media.example", "other.example"])
    backend = GuardedBackend(guard, resolver=resolve)
    transport = Transport(connections=1, per_host=1, backend=backend, ssl_context=trusted)
    return MediaClient(guard, FakeClock(), transport=transport)


async def test_the_name_goes_to_tls_and_the_checked_address_is_dialled() -> None:
    trusted = ssl.create_default_context(cafile=CERTIFICATE)
    async with tls_server() as (port, names), client(trusted) as media:
        async with media.open(f"https://media.example:{port}/") as stream:
            assert [chunk async for chunk in stream.chunks()] == [b"x"]
        assert names == ["media.example"]


@pytest.mark.parametrize("trusts", [True, False])
async def test_a_wrong_certificate_is_an_error_that_no_second_try_mends(trusts: bool) -> None:
    trusted = ssl.create_default_context(cafile=CERTIFICATE) if trusts else None
    name = "other.example" if trusts else "media.example"
    async with tls_server() as (port, _), client(trusted) as media:
        with pytest.raises(MediaError) as caught:
            async with media.open(f"https://{name}:{port}/"):
                pass
        assert caught.value.code == "certificate"
