"""The proxy for programs of others: only where the guard allows, and only for who knows it."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest

from archiver.net.forward_proxy import ForwardProxy, forward_proxy
from archiver.net.guard import AddressGuard
from support.net.wire import Reply, Wire, http, wire

pytestmark = pytest.mark.anyio
BODY = b"x" * 1000


@asynccontextmanager
async def proxied(
    *answers: Reply, allowed: bool = True, max_bytes: int = 1 << 20
) -> AsyncIterator[tuple[ForwardProxy, Wire, list[str]]]:
    """A proxy before a server, which it may connect to or not; and what it called for excess."""
    excess: list[str] = []
    async with wire(*(answers or (http(200, BODY, then="close"),))) as server:
        guard = AddressGuard((f"127.0.0.1:{server.port}",) if allowed else ())
        async with forward_proxy(guard, max_bytes, lambda: excess.append("too much")) as proxy:
            yield proxy, server, excess


def password_of(proxy: ForwardProxy) -> str:
    return proxy.url.partition("//")[2].partition("@")[0]


async def ask(
    proxy: ForwardProxy, request: str, password: str | None = None, then: bytes = b""
) -> bytes:
    """All that comes back for a request."""
    secret = base64.b64encode((password or password_of(proxy)).encode()).decode()
    head = f"{request} HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic {secret}\r\n\r\n"
    received = b""
    async with await anyio.connect_tcp("127.0.0.1", proxy.port) as stream:
        await stream.send(head.encode() + then)
        while True:
            try:
                received += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return received


async def test_a_plain_request_reaches_its_server_without_the_password() -> None:
    async with proxied() as (proxy, server, _):
        answer = await ask(proxy, f"GET {server.url('/film?a=1')}")
        assert answer.endswith(BODY)
        (asked,) = server.requests
        assert asked.target == "/film?a=1"
        assert asked.headers == {"host": "a", "connection": "close"}
        assert proxy.refused is None


async def test_a_tunnel_goes_both_ways() -> None:
    async with proxied() as (proxy, server, _):
        inner = b"GET /inside HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        with anyio.move_on_after(30):
            answer = await ask_until_body(proxy, server, inner)
        assert b"200 Connected" in answer
        assert answer.endswith(BODY)
        assert server.requests[0].target == "/inside"


async def ask_until_body(proxy: ForwardProxy, server: Wire, inner: bytes) -> bytes:
    secret = base64.b64encode(password_of(proxy).encode()).decode()
    head = (
        f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\nProxy-Authorization: basic {secret}\r\n\r\n"
    )
    received = b""
    async with await anyio.connect_tcp("127.0.0.1", proxy.port) as stream:
        await stream.send(head.encode())
        received += await stream.receive()
        await stream.send(inner)
        while not received.endswith(BODY):
            received += await stream.receive()
    return received


@pytest.mark.parametrize("how", ["GET http://127.0.0.1:{0}/", "CONNECT 127.0.0.1:{0}"])
async def test_a_private_address_gets_no_packet(how: str) -> None:
    async with proxied(allowed=False) as (proxy, server, _):
        answer = await ask(proxy, how.format(server.port))
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert server.connections == 0
        assert "127.0.0.1 is not on the public internet" in (proxy.refused or "")


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /relative", "GET ftp://a.example/", "GET https://a.example/", "CONNECT a.example",
        "CONNECT a.example:443/path", "CONNECT user@a.example:443", "get http://a.example/",
        "GET http://0177.0.0.1/", "CONNECT 169.254.169.254:80", "CONNECT localhost:22",
        "CONNECT [::1]:443", "CONNECT a.example:25",
    ],
)  # fmt: skip
async def test_whatever_is_no_request_to_the_public_web_is_refused(request_line: str) -> None:
    async with proxied() as (proxy, server, _):
        answer = await ask(proxy, request_line)
        assert answer[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 403", b"HTTP/1.1 502"}
        assert server.connections == 0


@pytest.mark.parametrize("password", ["archiver:wrong", "archiver:", "other"])
async def test_who_does_not_know_the_password_is_refused(password: str) -> None:
    async with proxied() as (proxy, server, _):
        answer = await ask(proxy, f"GET {server.url()}", password)
        assert answer.startswith(b"HTTP/1.1 407 ")
        assert server.connections == 0


async def test_a_second_request_on_the_same_connection_is_not_forwarded() -> None:
    async with proxied() as (proxy, server, _):
        then = b"GET http://169.254.169.254/ HTTP/1.1\r\nHost: b\r\n\r\n"
        await ask(proxy, f"GET {server.url('/one')}", then=then)
        assert [each.target for each in server.requests] == ["/one"]


@pytest.mark.parametrize(
    "headers", [{}, {"Connection": "keep-alive"}, {"Keep-Alive": "timeout=5", "connection": "x"}]
)
async def test_the_answer_says_that_its_connection_closes(headers: dict[str, str]) -> None:
    """Otherwise a client sends its next request on a connection that is about to close."""
    async with proxied(http(200, BODY, headers, then="close")) as (proxy, server, _):
        head, _, body = (await ask(proxy, f"GET {server.url()}")).partition(b"\r\n\r\n")
        fields = head.lower().split(b"\r\n")[1:]
        assert sorted(fields) == [b"connection: close", b"content-length: 1000"]
        assert body == BODY


async def test_a_client_that_keeps_connections_gets_each_of_its_answers() -> None:
    redirect = http(302, headers={"Location": "/next"}, then="close")
    async with (
        proxied(redirect, http(200, BODY, then="close")) as (proxy, server, _),
        httpx.AsyncClient(proxy=proxy.url, follow_redirects=True) as client,
    ):
        assert [(await client.get(server.url())).content for _ in range(5)] == [BODY] * 5


async def test_announcements_are_left_out_before_an_answer() -> None:
    early = Reply(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + http(200, BODY).data, "close")
    async with proxied(early) as (proxy, server, _):
        answer = await ask(proxy, f"GET {server.url()}")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(BODY)


@pytest.mark.parametrize(
    "answer",
    [
        Reply(b"", "close"), Reply(b"", "reset"), Reply(b"HTTP/1.1 200 OK\r\n", "close"),
        Reply(b"SSH-2.0-OpenSSH\r\n\r\n", "close"), Reply(b"x" * 300_000, "close"),
        Reply(b"HTTP/1.1 100 Continue\r\n\r\n" * 9000, "close"),
    ],
)  # fmt: skip
async def test_a_server_that_does_not_answer_is_a_bad_gateway(answer: Reply) -> None:
    async with proxied(answer) as (proxy, server, _):
        assert (await ask(proxy, f"GET {server.url()}")).startswith(b"HTTP/1.1 502 ")


async def test_a_request_with_a_body_is_refused_before_a_connection() -> None:
    async with proxied() as (proxy, server, _):
        assert (await ask(proxy, f"POST {server.url()}")).startswith(b"HTTP/1.1 405 ")
        assert server.connections == 0


async def test_more_bytes_than_a_video_may_have_are_counted_and_not_passed_on() -> None:
    async with proxied(max_bytes=100) as (proxy, server, excess):
        answer = await ask(proxy, f"GET {server.url()}")
        assert not answer.endswith(BODY)
        assert excess == ["too much"]


async def test_a_server_that_is_not_there_is_no_connection() -> None:
    async with proxied() as (proxy, server, _):
        port = server.port
        guard = AddressGuard(("127.0.0.1",))
    async with forward_proxy(guard, 100, lambda: None) as proxy:
        assert (await ask(proxy, f"GET http://127.0.0.1:{port}/")).startswith(b"HTTP/1.1 502 ")


async def test_an_error_in_the_block_is_raised_as_it_is() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with forward_proxy(AddressGuard(()), 100, lambda: None):
            raise ValueError("mine")
