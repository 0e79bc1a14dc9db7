"""Sockets: connected to whoever answers first, and closed whenever somebody stops waiting."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from archiver.net import sockets
from archiver.net.sockets import Sockets
from support.loop_time import running_loop
from support.net.wire import http, wire

pytestmark = pytest.mark.anyio

V4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """Every socket that the module opens."""
    found: list[socket.socket] = []

    class Noted(socket.socket):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            found.append(self)

    own = SimpleNamespace(**{**vars(socket), "socket": Noted})
    monkeypatch.setattr(sockets, "socket", own)
    yield found
    for sock in found:
        sock.close()


def names(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """Names lead to these addresses."""

    async def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        await asyncio.sleep(0)
        return [(*V4, address) for address in addresses]

    monkeypatch.setattr(running_loop(), "getaddrinfo", getaddrinfo)


async def closed_port() -> int:
    async with wire(http()) as server:
        return server.port


@pytest.mark.parametrize("host", ["127.0.0.1", "api.example"])
@pytest.mark.parametrize("steps", range(30))
async def test_whenever_it_is_cancelled_no_socket_is_left_open(
    monkeypatch: pytest.MonkeyPatch, opened: list[socket.socket], host: str, steps: int
) -> None:
    async with wire(http()) as server:
        names(monkeypatch, ("127.0.0.1", await closed_port()), ("127.0.0.1", server.port))
        task = asyncio.create_task(Sockets().connect_tcp(host, server.port, 10.0))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await (await task).aclose()
        await asyncio.sleep(0)  # what asyncio closes, it closes in its next turn
    assert [sock.fileno() for sock in opened] == [-1] * len(opened)


async def test_of_several_addresses_the_one_that_answers_is_taken(
    monkeypatch: pytest.MonkeyPatch, opened: list[socket.socket]
) -> None:
    async with wire(http()) as server:
        bad = ("127.0.0.1", await closed_port())
        names(monkeypatch, bad, ("127.0.0.1", server.port), bad)
        stream = await Sockets().connect_tcp("api.example", 80, 10.0)
        assert stream.get_extra_info("peername") == ("127.0.0.1", server.port)
        await stream.aclose()
    assert [sock.fileno() for sock in opened] == [-1, -1]


async def test_an_address_that_says_nothing_does_not_hold_up_the_next(
    monkeypatch: pytest.MonkeyPatch, opened: list[socket.socket]
) -> None:
    silent = ("127.0.0.9", 9)
    loop = running_loop()
    connect = loop.sock_connect

    async def sock_connect(sock: socket.socket, address: Any) -> None:
        if address == silent:
            loop.skip(1.0)
            await loop.create_future()
        await connect(sock, address)

    monkeypatch.setattr(loop, "sock_connect", sock_connect)
    async with wire(http()) as server:
        names(monkeypatch, silent, ("127.0.0.1", server.port))
        stream = await Sockets().connect_tcp("api.example", 80, 10.0)
        await stream.aclose()
        names(monkeypatch, silent)
        loop.skip(20.0)
        with pytest.raises(httpx.ConnectTimeout):
            await Sockets().connect_tcp("api.example", 80, 10.0)
    assert [sock.fileno() for sock in opened] == [-1, -1, -1]


async def test_where_no_address_answers_the_first_says_why(
    monkeypatch: pytest.MonkeyPatch, opened: list[socket.socket]
) -> None:
    first = ("127.0.0.1", await closed_port())
    names(monkeypatch, first, ("127.0.0.1", await closed_port()))
    with pytest.raises(httpx.ConnectError, match="refuses the connection") as caught:
        await Sockets().connect_tcp("api.example", 80, 10.0)
    assert str(first) in str(caught.value.__cause__)
    names(monkeypatch)
    with pytest.raises(httpx.ConnectError, match="no address"):
        await Sockets().connect_tcp("api.example", 80, 10.0)
    assert [sock.fileno() for sock in opened] == [-1, -1]
