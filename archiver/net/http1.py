"""One HTTP/1.1 connection of a client, according to RFC 9112.

Servers are not trusted. Ambiguous responses (two lengths, a coding other than chunked, control
characters in a header) are errors, and a connection is reused only after a response whose end is
certain.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from dataclasses import dataclass

import httpx

from archiver.net.encoding import Chunks
from archiver.net.network import NetworkBackend, NetworkStream
from archiver.net.proxy import Proxy

Headers = list[tuple[bytes, bytes]]

_MAX_HEAD = 100 * 1024
_MAX_LINE = 4 * 1024
_MAX_INTERIM = 20
_READ_SIZE = 1 << 20
_READ_SIZE_TLS = 64 * 1024  # OpenSSL gives 16 KiB at a time, whatever is asked for

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TEXT = rb"[\t\x20-\x7e\x80-\xff]*"
_REQUEST = re.compile(
    _TOKEN + rb" [\x21-\x7e]+ HTTP/1\.1\r\n"
    rb"(?:" + _TOKEN + rb": (?:[\x21-\x7e\x80-\xff](?:" + _TEXT + rb"[\x21-\x7e\x80-\xff])?)?\r\n)*"
    rb"\r\n"
)  # fmt: skip
_END = re.compile(rb"\n\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_LENIENT_TEXT = rb"[^\x00\n\x0b\x0c\r]*"  # servers send header values that RFC 9110 does not allow
_HEAD = re.compile(
    rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: " + _LENIENT_TEXT + rb")?\r?\n"
    rb"((?:" + _TOKEN + rb":" + _LENIENT_TEXT + rb"\r?\n)*)\r?\n"
)  # fmt: skip
_LENGTH = re.compile(rb"[0-9]+")
_MAX_DIGITS = 18
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;" + _LENIENT_TEXT + rb")?\r?\n")

_LINE_END = re.compile(rb"\r?\n")
_TRAILER = re.compile(rb"(" + _TOKEN + rb":" + _LENIENT_TEXT + rb")?\r?\n")


@dataclass(slots=True)
class HttpResponse:
    """A status, headers as they came, and the body, to be read once."""

    status: int
    headers: Headers
    body: Chunks


class Connection:
    """A connection to one origin, opened by the first request. One request at a time.

    `keepalive` is how many seconds it may be idle. With a `proxy`, the backend's only connection is
    the one to it.
    """

    def __init__(
        self,
        url: httpx.URL,
        *,
        backend: NetworkBackend,
        ssl_context: Callable[[], ssl.SSLContext],
        keepalive: float,
        proxy: Proxy | None = None,
    ) -> None:
        self._secure = url.scheme == "https"
        self._host = url.raw_host.decode("ascii")
        self._port = url.port or (443 if self._secure else 80)
        self._backend = backend
        self._ssl_context = ssl_context
        self._keepalive = keepalive
        self._proxy = proxy
        self._stream: NetworkStream | None = None
        self._buffer = b""  # bytes read; those from `_position` on are not parsed yet
        self._position = 0
        self._idle_since = 0.0
        self._is_idle = False
        self._can_keep_alive = False

    async def send(self, request: httpx.Request) -> HttpResponse:
        """Send a request; returns the response, whose body is still to be read.

        Raises httpx's exceptions.
        """
        headers = request.headers.raw
        data = _request_head(request, headers, None if self._secure else self._proxy)
        if _values(headers, b"content-length"):
            assert isinstance(request.stream, AsyncIterable)  # noqa: S101 — httpx allows both kinds
            data += b"".join([chunk async for chunk in request.stream])
        timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
        limit = _HeadLimit(timeouts.get("read"), timeouts.get("answer"))
        self._is_idle = self._can_keep_alive = False
        if self._stream is None:
            await self._open(timeouts.get("connect"), limit)
        assert self._stream is not None  # noqa: S101 — it was opened
        await self._stream.write(data, timeouts.get("write"))
        answer = await self._answer(request.method, limit)
        if answer.status == 407 and self._proxy is not None and not self._secure:
            self._is_idle = False
            raise self._proxy.refusal(407, self._host)
        return answer

    def is_usable(self) -> bool:
        """Whether another request may be sent over it."""
        return (
            self._is_idle
            and self._stream is not None
            and _loop_time() < self._idle_since + self._keepalive
            and not self._stream.get_extra_info("is_readable")
        )

    @property
    def is_idle(self) -> bool:
        """Whether the last response was read completely."""
        return self._is_idle

    async def aclose(self) -> None:
        """Close it, even during a request."""
        self._is_idle = False
        if self._stream is not None:
            await self._stream.aclose()

    async def _open(self, connect: float | None, limit: "_HeadLimit") -> None:
        if self._proxy is None:
            stream = await self._backend.connect_tcp(self._host, self._port, connect)
        else:
            stream = await self._open_to_proxy(self._proxy, connect)
        if self._secure:
            self._stream = stream  # so that it is closed where the handshake fails
            if self._proxy is not None:
                await self._tunnel(self._proxy, stream, limit)
            name = self._host.rstrip(".")
            stream = await stream.start_tls(self._ssl_context(), name, connect)
        self._stream = stream

    async def _open_to_proxy(self, proxy: Proxy, connect: float | None) -> NetworkStream:
        try:
            return await self._backend.connect_tcp(proxy.host, proxy.port, connect)
        except httpx.ConnectTimeout:
            raise httpx.ConnectTimeout(f"{proxy} does not answer") from None
        except httpx.ConnectError as error:
            raise httpx.ConnectError(f"{proxy} cannot be reached: {error}") from error

    async def _tunnel(self, proxy: Proxy, stream: NetworkStream, limit: "_HeadLimit") -> None:
        """Have the proxy connect to the origin (CONNECT). Raises httpx.ProxyError."""
        target = f"[{self._host}]" if ":" in self._host else self._host
        target = f"{target}:{self._port}"
        await stream.write(_connect_head(target, proxy), limit.each)
        try:
            for _ in range(_MAX_INTERIM):
                _, status, _ = await self._head(limit)
                if status >= 200:
                    break
        except httpx.ReadTimeout:
            raise httpx.ReadTimeout(f"{proxy} does not answer") from None
        except (httpx.RemoteProtocolError, httpx.NetworkError) as error:
            raise httpx.ProxyError(f"{proxy} sends an invalid answer: {error}") from error
        if not 200 <= status < 300:
            raise proxy.refusal(status, target)
        if self._position != len(self._buffer):
            raise httpx.ProxyError(f"{proxy} sends data that was not asked for")

    async def _answer(self, method: str, limit: "_HeadLimit") -> HttpResponse:
        for _ in range(_MAX_INTERIM):
            version, status, headers = await self._head(limit)
            if status >= 200:
                break
            if status == 101:
                raise httpx.RemoteProtocolError("the server switches to another protocol")
        else:
            why = "the server sends too many interim responses and no final one"
            raise httpx.RemoteProtocolError(why)
        timeout = limit.each
        codings, lengths, options = _framing(headers)
        if codings and (codings != [b"chunked"] or version == b"0"):
            raise httpx.RemoteProtocolError("the answer has an unknown transfer coding")
        length = _length(lengths)
        self._can_keep_alive = version == b"1" and not _closes(options)
        if method == "HEAD" or status in {204, 304}:
            return self._fixed_length_answer(status, headers, 0, timeout)
        if codings:
            self._can_keep_alive = self._can_keep_alive and not length
            return HttpResponse(status, headers, self._chunked_body(timeout))
        if length:
            if len(length) > _MAX_DIGITS:
                raise httpx.RemoteProtocolError("the length of the answer is malformed")
            return self._fixed_length_answer(status, headers, int(length), timeout)
        self._can_keep_alive = False
        return HttpResponse(status, headers, self._body_until_close(timeout))

    def _fixed_length_answer(
        self, status: int, headers: Headers, length: int, timeout: float | None
    ) -> HttpResponse:
        if not length:
            self._finish_answer()
        return HttpResponse(status, headers, _FixedLengthBody(self, length, timeout))

    async def _head(self, limit: "_HeadLimit") -> tuple[bytes, int, Headers]:
        end = _END.search(self._buffer, self._position)
        while end is None:
            if len(self._buffer) - self._position > _MAX_HEAD:
                raise httpx.RemoteProtocolError("the head of the answer is too long")
            await self._read_more(limit.next_read())
            end = _END.search(self._buffer, self._position)
        head = self._buffer[self._position : end.end()]
        self._skip_to(end.end())
        if len(head) > _MAX_HEAD:
            raise httpx.RemoteProtocolError("the head of the answer is too long")
        match = _HEAD.fullmatch(_FOLD.sub(b" ", head))
        if match is None:
            raise httpx.RemoteProtocolError("the head of the answer is malformed")
        version, status, fields = match.groups()
        headers = []
        for line in fields.splitlines():
            name, _, value = line.partition(b":")
            headers.append((name, value.strip(b" \t")))
        return version, int(status), headers

    async def _read_more(self, timeout: float | None) -> None:
        data = await self._read(timeout)
        if not data:
            why = "The server closed the connection without an answer"
            raise httpx.RemoteProtocolError(why)
        self._buffer, self._position = self._buffer[self._position :] + data, 0

    def _skip_to(self, end: int) -> None:
        """Everything before `end` was parsed.

        It is cut off once it is the greater part of the buffer, not each time: a buffer full of
        small chunks would be copied for every chunk.
        """
        if 2 * end > len(self._buffer):
            self._buffer, self._position = self._buffer[end:], 0
        else:
            self._position = end

    def _take_buffered(self) -> bytes:
        """Take all bytes that were read and not parsed."""
        data, self._buffer, self._position = self._buffer[self._position :], b"", 0
        return data

    async def _read(self, timeout: float | None) -> bytes:
        assert self._stream is not None  # noqa: S101 — something was sent over it
        return await self._stream.read(_READ_SIZE_TLS if self._secure else _READ_SIZE, timeout)

    async def read_body(self, length: int, left: int, timeout: float | None) -> bytes:
        """The next bytes of a body of `length` bytes, of which so many are `left`."""
        data = self._take_buffered() or await self._read(timeout)
        if not data:
            why = f"The connection was closed after {length - left} of {length} bytes"
            raise httpx.RemoteProtocolError(why)
        if len(data) > left:
            data, self._buffer = data[:left], data[left:]
        if len(data) == left:
            self._finish_answer()
        return data

    async def _body_until_close(self, timeout: float | None) -> AsyncGenerator[bytes, None]:
        data = self._take_buffered()
        while data or (data := await self._read(timeout)):
            yield data
            data = b""

    async def _chunked_body(self, timeout: float | None) -> AsyncGenerator[bytes, None]:
        while size := int((await self._line(_CHUNK, timeout))[1], 16):
            async for data in self._chunk_data(size, timeout):
                yield data
            await self._line(_LINE_END, timeout)
        size = 0
        while (line := await self._line(_TRAILER, timeout))[1]:
            size += len(line[0])
            if size > _MAX_HEAD:
                raise httpx.RemoteProtocolError("the trailer of the answer is too long")
        self._finish_answer()

    async def _chunk_data(
        self, size: int, timeout: float | None
    ) -> AsyncGenerator[bytes, None]:  # fmt: skip
        while size:
            if self._position == len(self._buffer):
                await self._read_more(timeout)
            data = self._buffer[self._position : self._position + size]
            self._skip_to(self._position + len(data))
            size -= len(data)
            yield data

    async def _line(
        self, pattern: re.Pattern[bytes], timeout: float | None
    ) -> re.Match[bytes]:  # fmt: skip
        while (end := self._buffer.find(b"\n", self._position)) < 0:
            if len(self._buffer) - self._position > _MAX_LINE:
                break
            await self._read_more(timeout)
        match = pattern.fullmatch(self._buffer, self._position, end + 1)
        if match is None or end - self._position > _MAX_LINE:
            raise httpx.RemoteProtocolError("a chunk of the answer is malformed")
        self._skip_to(end + 1)
        return match

    def _finish_answer(self) -> None:
        """Mark the response as complete; the connection is idle, unless more bytes followed."""
        self._is_idle = self._can_keep_alive and self._position == len(self._buffer)
        self._idle_since = _loop_time()


class _FixedLengthBody(Chunks):
    """A body whose length was given, as most are: an async generator would take longer."""

    def __init__(self, connection: Connection, length: int, timeout: float | None) -> None:
        self._connection = connection
        self._length = self._left = length
        self._timeout = timeout

    def __aiter__(self) -> "_FixedLengthBody":
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        data = await self._connection.read_body(self._length, self._left, self._timeout)
        self._left -= len(data)
        return data

    async def aclose(self) -> None:
        self._left = 0


class _HeadLimit:
    """How long a server may take for the head of its answer, in seconds.

    One that sends a byte now and then never exceeds the time of a read, so there is one for `all`
    of them besides the one for `each`. None is no limit.
    """

    def __init__(self, each: float | None, all_reads: float | None) -> None:
        self.each = each
        self._until = None if all_reads is None else _loop_time() + all_reads

    def next_read(self) -> float | None:
        """How long the next read may take. Raises httpx.ReadTimeout where no time is left."""
        if self._until is None:
            return self.each
        left = self._until - _loop_time()
        if left <= 0:
            raise httpx.ReadTimeout("")
        return left if self.each is None else min(self.each, left)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _connect_head(target: str, proxy: Proxy) -> bytes:
    head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n".encode("ascii")
    if proxy.authorization is not None:
        head += b"Proxy-Authorization: %b\r\n" % proxy.authorization
    return head + b"\r\n"


def _request_head(request: httpx.Request, headers: Headers, proxy: Proxy | None) -> bytes:
    """The head of a request to the origin, or through a `proxy` in absolute form.

    Raises httpx.LocalProtocolError for text that would change the structure of the request.
    """
    url = request.url
    target = url.raw_path
    if proxy is not None:
        target = b"%b://%b%b" % (url.raw_scheme, url.netloc, target)
        if proxy.authorization is not None:
            headers = [*headers, (b"Proxy-Authorization", proxy.authorization)]
    lines = [b"%b %b HTTP/1.1\r\n" % (request.method.encode("ascii"), target)]
    lines += [b"%b: %b\r\n" % pair for pair in headers]
    head = b"".join([*lines, b"\r\n"])
    one_each = head.count(b"\n") == len(lines) + 1  # else a value contains a line break
    if not one_each or not _REQUEST.fullmatch(head) or _values(headers, b"transfer-encoding"):
        raise httpx.LocalProtocolError("the request has characters that HTTP does not allow")
    return head


def _values(headers: Headers, name: bytes) -> list[bytes]:
    """All values of a header, in lower case."""
    return [value.lower() for found, value in headers if found.lower() == name]


def _framing(headers: Headers) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """The values that say where an answer ends, in lower case: codings, lengths, options.

    Those of Transfer-Encoding, Content-Length and Connection, as `_values`, in one pass.
    """
    codings: list[bytes] = []
    lengths: list[bytes] = []
    options: list[bytes] = []
    lists = {b"transfer-encoding": codings, b"content-length": lengths, b"connection": options}
    for name, value in headers:
        if (found := lists.get(name.lower())) is not None:
            found.append(value.lower())
    return codings, lengths, options


def _closes(options: list[bytes]) -> bool:
    """Whether the connection is closed after the answer (RFC 9112 section 9.6)."""
    return any(option.strip() == b"close" for option in b",".join(options).split(b","))


def _length(values: list[bytes]) -> bytes:
    """The digits of Content-Length, which may be repeated; empty where there is none."""
    lengths = {value.strip(b" \t") for value in b",".join(values).split(b",")} if values else {b""}
    length = lengths.pop()
    if values and (lengths or not _LENGTH.fullmatch(length)):
        raise httpx.RemoteProtocolError("the length of the answer is malformed")
    return length
