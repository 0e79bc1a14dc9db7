"""The transport: as many connections as workers, and none that cannot be trusted."""

from collections.abc import Iterator

import anyio
import anyio.lowlevel
import httpx
import pytest

from archiver.net.transport import Transport
from support.net.wire import Reply, http, wire

pytestmark = pytest.mark.anyio


async def get(transport: Transport, url: str, *, method: str = "GET") -> bytes:
    request = httpx.Request(method, url)
    response = await transport.handle_async_request(request)
    try:
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        return b"".join([chunk async for chunk in stream])
    finally:
        await response.aclose()


async def work(transport: Transport, urls: Iterator[str]) -> None:
    for url in urls:
        assert await get(transport, url) == b"body"


async def test_n_requests_over_w_workers_open_w_connections() -> None:
    async with (
        wire(http(200, b"body")) as server,
        Transport(connections=16, per_host=16) as transport,
    ):
        urls = iter([server.url(f"/{number}") for number in range(200)])
        async with anyio.create_task_group() as group:
            for _ in range(7):
                group.start_soon(work, transport, urls)
        assert server.connections == 7
        assert len(server.requests) == 200


async def test_limits_hold_for_one_host_and_for_all() -> None:
    async with wire(http(200, b"body")) as one, wire(http(200, b"body")) as two:
        async with Transport(connections=3, per_host=2) as transport:
            urls = [server.url() for _ in range(20) for server in (one, two)]
            async with anyio.create_task_group() as group:
                for url in urls:
                    group.start_soon(work, transport, iter([url]))
        assert len(one.requests) == len(two.requests) == 20
        assert one.connections >= 1
        assert two.connections >= 1


async def test_no_more_than_per_host_at_once() -> None:
    async with (
        wire(http(200, b"body")) as server,
        Transport(connections=16, per_host=3) as transport,
    ):
        async with anyio.create_task_group() as group:
            for _ in range(30):
                group.start_soon(work, transport, iter([server.url()]))
        assert server.connections == 3


async def test_waiting_is_first_come_first_served() -> None:
    async with (
        wire(http(200, b"body")) as server,
        Transport(connections=1, per_host=1) as transport,
    ):
        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(work, transport, iter([server.url(f"/{number}")]))
        assert [request.target for request in server.requests] == [f"/{n}" for n in range(10)]


async def test_the_longest_idle_connection_makes_room() -> None:
    async with wire(http(200, b"body")) as one, wire(http(200, b"body")) as two:
        async with Transport(connections=1, per_host=1) as transport:
            for server in (one, two, one, one):
                await get(transport, server.url())
        assert (one.connections, two.connections) == (2, 1)


async def test_a_connection_that_died_while_idle_is_replaced() -> None:
    async with (
        wire(http(200, b"body")) as server,
        Transport(connections=2, per_host=2) as transport,
    ):
        await get(transport, server.url())
        server.drop_all()
        assert await get(transport, server.url()) == b"body"
        assert server.connections == 2


async def test_a_closed_connection_is_not_reused() -> None:
    async with (
        wire(http(200, b"body")) as server,
        Transport(connections=2, per_host=2) as transport,
    ):
        await get(transport, server.url())
        server.drop_all()
        for writer in server.writers:
            await writer.wait_closed()
        assert await get(transport, server.url(), method="POST") == b"body"


async def test_a_connection_that_dies_as_it_is_used_again_is_replaced() -> None:
    answers = [http(200, b"body"), Reply(b"", "close"), http(200, b"body")]
    async with wire(*answers) as server, Transport(connections=2, per_host=2) as transport:
        await get(transport, server.url())
        assert await get(transport, server.url()) == b"body"
        assert server.connections == 2


async def test_what_is_not_repeatable_is_not_sent_again() -> None:
    answers = [http(200, b"body"), Reply(b"", "close"), http(200, b"body")]
    async with wire(*answers) as server, Transport(connections=2, per_host=2) as transport:
        await get(transport, server.url())
        with pytest.raises(httpx.RemoteProtocolError):
            await get(transport, server.url(), method="POST")
        assert len(server.requests) == 2


async def test_an_answer_left_half_read_closes_its_connection() -> None:
    async with (
        wire(http(200, b"x" * 300_000)) as server,
        Transport(connections=1, per_host=1) as transport,
    ):
        for _ in range(2):
            response = await transport.handle_async_request(httpx.Request("GET", server.url()))
            await response.aclose()
            await response.aclose()
        assert server.connections == 2


async def test_a_cancelled_request_gives_its_slot_back() -> None:
    async with (
        wire(Reply(b"", "hang"), http(200, b"body")) as server,
        Transport(connections=1, per_host=1) as transport,
    ):
        async with anyio.create_task_group() as group:
            group.start_soon(get, transport, server.url())
            while not server.requests:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        assert await get(transport, server.url()) == b"body"


async def test_cancelled_while_waiting_for_a_slot() -> None:
    async with (
        wire(Reply(b"", "hang"), http(200, b"body")) as server,
        Transport(connections=1, per_host=1) as transport,
    ):
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(get, transport, server.url())
            while not server.requests:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        assert await get(transport, server.url()) == b"body"


@pytest.mark.parametrize(
    "reply",
    [
        http(200, b"short", length=10, then="close"),
        Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "close"),
        Reply(b"nonsense\r\n\r\n", "close"),
        Reply(b"<html>HTTP/0.9", "close"),
        Reply(b"", "close"),
        Reply(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "close"),
        Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345", "close"),
        Reply(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n", "close"),
        Reply(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5_000_000 + b"\r\n\r\n", "close"),
    ],
)
async def test_broken_answers_raise_and_leave_nothing_open(reply: Reply) -> None:
    async with (
        wire(reply, http(200, b"body")) as server,
        Transport(connections=1, per_host=1) as transport,
    ):
        with pytest.raises(httpx.TransportError):
            await get(transport, server.url())
        assert await get(transport, server.url()) == b"body"


async def test_more_bytes_than_declared_are_not_taken_for_the_next_answer() -> None:
    async with (
        wire(http(200, b"body and more", length=4)) as server,
        Transport(connections=1, per_host=1) as transport,
    ):
        for _ in range(4):
            assert await get(transport, server.url()) == b"body"


async def test_a_port_that_nothing_listens_on_is_a_connect_error() -> None:
    async with wire(http()) as server:
        url = server.url()
    async with Transport(connections=1, per_host=1) as transport:
        with pytest.raises(httpx.ConnectError):
            await get(transport, url)


async def test_an_answer_may_outlive_the_transport() -> None:
    async with wire(http(200, b"body")) as server:
        transport = Transport(connections=1, per_host=1)
        response = await transport.handle_async_request(httpx.Request("GET", server.url()))
        await transport.aclose()
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        assert [chunk async for chunk in stream] == [b"body"]
        await response.aclose()


async def test_origins_are_forgotten_when_unused() -> None:
    closing = http(200, b"body", {"Connection": "close"}, then="close")
    async with wire(closing) as server, Transport(connections=4, per_host=2) as transport:
        await get(transport, server.url())
        assert not transport._hosts
