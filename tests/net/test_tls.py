"""TLS: the name is checked, whatever address was dialled, and no certificate is waved through."""

import asyncio
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from archiver.errors import MediaError, SourceDown
from archiver.net.api import api_client
from archiver.net.fetch import MediaClient
from archiver.net.guard import AddressGuard, GuardedBackend
from archiver.net.transport import Transport
from support.loop_time import LoopTime
from support.net.handshakes import ENDS, failing_handshakes, silence
from support.net.wire import LOOPBACK, FakeClock, http, wire
from support.nights import nights

pytestmark = pytest.mark.anyio

CERTIFICATE = Path(__file__).with_name("media.example.pem")
EXPIRED = Path(__file__).with_name("expired.example.pem")


def speaking_only_tls_1_1(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same, able to speak what nobody should any more, and nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@asynccontextmanager
async def tls_server(
    certificate: Path = CERTIFICATE, *, is_old: bool = False
) -> AsyncIterator[tuple[int, list[str]]]:
    """A server for media.example: its port, and the names that clients asked for by SNI."""
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if is_old:
        speaking_only_tls_1_1(context)
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
async def test_a_wrong_certificate_is_an_error_that_no_retry_fixes(trusts: bool) -> None:
    trusted = ssl.create_default_context(cafile=CERTIFICATE) if trusts else None
    name = "other.example" if trusts else "media.example"
    async with tls_server() as (port, _), client(trusted) as media:
        with pytest.raises(MediaError) as caught:
            async with media.open(f"https://{name}:{port}/"):
                pass
        assert caught.value.code == "certificate"


async def test_an_expired_certificate_is_an_error_that_no_retry_fixes() -> None:
    trusted = ssl.create_default_context(cafile=EXPIRED)
    async with tls_server(EXPIRED) as (port, _), client(trusted) as media:
        with pytest.raises(MediaError, match="expired") as caught:
            async with media.open(f"https://media.example:{port}/"):
                pass
        assert caught.value.code == "certificate"


async def test_tls_1_1_is_not_spoken() -> None:
    careless = speaking_only_tls_1_1(ssl.create_default_context(cafile=CERTIFICATE))
    async with tls_server(is_old=True) as (port, _):
        async with client(careless) as media, media.open(f"https://media.example:{port}/"):
            pass
        async with client(None) as media:
            with pytest.raises(MediaError) as caught:
                async with media.open(f"https://media.example:{port}/"):
                    pass
        assert caught.value.code == "network"  # it came to no certificate


async def test_nothing_in_the_environment_says_whom_to_trust(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    async with tls_server() as (port, _), client(None) as media:
        with pytest.raises(MediaError) as caught:
            async with media.open(f"https://media.example:{port}/"):
                pass
        assert caught.value.code == "certificate"


async def test_nothing_in_the_environment_says_where_to_connect_or_what_to_send(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login somebody password secret")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    async with wire(http(200, b"{}")) as server, wire(http(502)) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url(""))
            monkeypatch.setenv(name.upper(), proxy.url(""))
        guard = AddressGuard(LOOPBACK)
        async with MediaClient(guard, FakeClock()) as media, media.open(server.url()) as stream:
            assert stream.status == 200
        async with api_client("ayrshare", server.url(), clock=FakeClock()) as api_:
            await api_.get("/user")
        assert proxy.connections == 0
        assert [r.headers.get("authorization") for r in server.requests] == [None, None]


@pytest.mark.parametrize("end", ENDS)
async def test_a_handshake_that_fails_is_an_error_of_one_file(
    end: Callable[[socket.socket], None], loop_time: LoopTime
) -> None:
    with failing_handshakes(end, loop_time) as (port, _):
        async with client(None) as media:
            with pytest.raises(MediaError, match=r"handshake|SSL|reset|connect in time") as caught:
                async with media.open(f"https://media.example:{port}/"):
                    pass
        assert caught.value.code == "network"


@pytest.mark.parametrize("end", ENDS)
async def test_a_handshake_that_fails_is_an_api_that_is_down(
    end: Callable[[socket.socket], None], loop_time: LoopTime
) -> None:
    with failing_handshakes(end, loop_time) as (port, begun):
        base_url = f"https://127.0.0.1:{port}/api"
        async with api_client("ayrshare", base_url, clock=FakeClock()) as down:
            with pytest.raises(SourceDown):
                await down.get("/user")
        for _ in range(3):
            await to_thread.run_sync(begun.get)
        assert begun.empty()


async def test_a_handshake_can_be_cancelled() -> None:
    with failing_handshakes(silence) as (port, begun):
        async with client(None) as media, anyio.create_task_group() as tasks:

            async def open_() -> None:
                async with media.open(f"https://media.example:{port}/"):
                    pass

            tasks.start_soon(open_)
            await to_thread.run_sync(begun.get)
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize("end", ENDS)
def test_a_backup_ends_where_no_handshake_does(
    tmp_path: Path, end: Callable[[socket.socket], None]
) -> None:
    with (
        nights(tmp_path, "threads") as world,
        failing_handshakes(end, world.loop_time) as (port, _),
    ):
        world.base_url = f"https://127.0.0.1:{port}/api"
        assert world.backup().exit_code == 4
