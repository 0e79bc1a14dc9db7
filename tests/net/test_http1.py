"""The HTTP/1.1 reader beside h11: what one refuses or reads, the other must not read otherwise."""

from collections.abc import Callable
from typing import Any, NoReturn

import anyio
import h11
import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archiver.net.http1 import Connection

PIECES = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 204 No\r\n", b"HTTP/1.1 103 X\r\n",
    b"HTTP/1.1 304 \r\n", b"HTTP/1.1 200\r\n", b"HTTP/2.0 200 OK\r\n", b"HTTP/1.1 099 OK\r\n",
    b"Content-Length: 5\r\n", b"content-length:3\r\n", b"Content-Length: 5, 5\r\n",
    b"Content-Length: +5\r\n", b"Content-Length: 0x5\r\n", b"Content-Length: 5 5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding : chunked\r\n",
    b"Connection: close\r\n", b"X: \x00\r\n", b"X: a\r\n b\r\n", b"X Y: b\r\n", b": b\r\n",
    b"\r\n", b"\n", b"\r", b"5\r\nhello\r\n", b"5;a=b\r\nhello\r\n", b"0\r\n\r\n", b"0\r\n",
    b"-5\r\n", b"5 \r\n", b"0x5\r\nhello\r\n", b"hello", b"hello\r\n", b"T: x\r\n", b"g\r\n",
    b"ffffffffffffffffffff\r\n",
]  # fmt: skip


class Pipe:
    """Gives an answer in pieces of so many bytes, then the end."""

    def __init__(self, data: bytes, step: int) -> None:
        self.data = data
        self.step = step

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        found, self.data = self.data[: self.step], self.data[self.step :]
        return found

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def start_tls(self, *args: Any) -> NoReturn:
        raise AssertionError

    def get_extra_info(self, info: str) -> Any:
        return bool(self.data)


class Pipes:
    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    async def connect_tcp(self, *args: Any, **more: Any) -> Pipe:
        return self.pipe


Read = tuple[int, bytes, bool]
"""Status, body, and whether the connection may be used again."""


def no_context() -> NoReturn:
    raise AssertionError


def ours(data: bytes, step: int, method: str = "GET") -> Read | None:
    async def read() -> Read | None:
        connection = Connection(
            httpx.URL("http://a.example/"), backend=Pipes(Pipe(data, step)),
            ssl_context=no_context, keepalive=60.0,
        )  # fmt: skip
        try:
            answer = await connection.send(httpx.Request(method, "http://a.example/"))
            body = b"".join([chunk async for chunk in answer.body])
        except httpx.RemoteProtocolError:
            return None
        return answer.status, body, connection.is_usable()

    return anyio.run(read)


def theirs(data: bytes) -> Read | None:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "a.example")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    status, body, ended = 0, b"", False
    try:
        while True:
            event = client.next_event()
            if event is h11.NEED_DATA:
                if ended:
                    return None
                client.receive_data(b"")
                ended = True
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                may_stay = client.their_state is h11.DONE and not client.trailing_data[0]
                return status, body, may_stay
            elif isinstance(event, (h11.ConnectionClosed, type(h11.PAUSED))):
                return None
    except h11.RemoteProtocolError:
        return None


@settings(deadline=None, max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join), st.integers(1, 60))
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 9)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 3\r\n\r\nhello", 60)
@example(b"HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 7)
@example(b"HTTP/1.1 204 No\r\n\r\nhello", 60)
@example(b"HTTP/1.1 204 No\r\nContent-Length: +5\r\n\r\n", 1)
@example(b"HTTP/1.1 204 No\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 1)
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: x\r\n\r\n0\r\n\r\n", 9)
def test_what_both_read_is_the_same_and_what_h11_refuses_is_refused(data: bytes, step: int) -> None:
    found, expected = ours(data, step), theirs(data)
    if found is not None:
        assert expected is not None
        assert found[:2] == expected[:2]
        assert not found[2] or expected[2]


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
     b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
     b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
     b"2;x\r\nhe\r\n003\r\nllo\r\n0\r\nT: x\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\n  b\r\n\r\nhello"],
)  # fmt: skip
@pytest.mark.parametrize("step", [1, 3, 1000])
def test_complete_answers_leave_a_connection_that_may_be_used_again(
    answer: bytes, step: int
) -> None:
    assert ours(answer, step) == (200, b"hello", True)
    assert ours(answer + b"H", step) == (200, b"hello", False)


def test_only_the_end_of_the_connection_ends_what_has_no_length() -> None:
    assert ours(b"HTTP/1.1 200 OK\r\n\r\nhello", 2) == (200, b"hello", False)


def test_an_answer_to_head_has_no_body() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    assert ours(answer, 9, "HEAD") == (200, b"", True)


@pytest.mark.parametrize(
    "request_of",
    [lambda: httpx.Request("GET", "http://a.example/", headers={"X": "a\r\nY: b"}),
     lambda: httpx.Request("GET", "http://a.example/", headers={"X": "a\nY: b"}),
     lambda: httpx.Request("GET", "http://a.example/", headers={"X:Y": "b"}),
     lambda: httpx.Request("GET / HTTP/1.1\r\nX:", "http://a.example/"),
     lambda: httpx.Request("GET", "http://a.example/", headers={"Transfer-Encoding": "chunked"})],
)  # fmt: skip
def test_a_request_has_no_bytes_but_those_that_were_meant(
    request_of: Callable[[], httpx.Request],
) -> None:
    async def send() -> None:
        connection = Connection(
            httpx.URL("http://a.example/"), backend=Pipes(Pipe(b"", 1)),
            ssl_context=no_context, keepalive=60.0,
        )  # fmt: skip
        await connection.send(request_of())

    with pytest.raises(httpx.LocalProtocolError):
        anyio.run(send)


class Counted(bytes):
    """Bytes that count how many of them are copied out."""

    copied = 0

    def __getitem__(self, key: Any) -> Any:
        piece = super().__getitem__(key)
        Counted.copied += len(piece)
        return Counted(piece)

    def __add__(self, other: Any) -> Any:
        return Counted(super().__add__(other))


def test_a_buffer_full_of_small_chunks_is_copied_a_few_times_only() -> None:
    count = 20_000
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = Counted(head + b"1\r\nx\r\n" * count + b"0\r\n\r\n")
    Counted.copied = 0
    assert ours(data, len(data)) == (200, b"x" * count, True)
    assert Counted.copied < 5 * len(data)
