"""A proxy on loopback for programs of others: it connects to addresses that the guard allows only.

It speaks CONNECT, through which TLS stays between the program and the server, and plain requests
with an absolute URL (RFC 9110 section 7.6). Whoever does not know its password is refused: other
programs of this machine must not come through it to where they could not go themselves.
"""

import base64
import logging
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
import httpx
from anyio.abc import SocketAttribute, SocketStream

from archiver.errors import MediaError, MediaRefused
from archiver.net.guard import AddressGuard, GuardedBackend
from archiver.net.network import NetworkStream

log = logging.getLogger(__name__)

_LARGEST_HEAD = 64 << 10
_CHUNK = 64 << 10
_SECONDS = 60.0
"""Without a byte for so long, a connection is closed."""
_REQUEST = re.compile(rb"([A-Z]{3,10}) (\S{1,8192}) HTTP/1\.[01]", re.ASCII)
_HOST_PORT = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]/?#@\s]+):(\d{1,5})", re.ASCII)
_ANSWER = re.compile(rb"HTTP/1\.[01] ([1-5])\d\d(?: |$)", re.ASCII)
_METHODS = {b"GET", b"HEAD"}
_NOT_FORWARDED = (b"proxy-", b"connection:", b"keep-alive:", b"upgrade:", b"te:", b"expect:")


class _Denied(Exception):
    """The request is answered with this status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(slots=True)
class ForwardProxy:
    """One proxy: its address with the password, what it refused, and how many bytes came through.

    `on_excess` is called once, when more than `max_bytes` have come.
    """

    guard: AddressGuard
    max_bytes: int
    on_excess: Callable[[], None] = lambda: None
    port: int = 0
    refused: str | None = None
    received: int = 0
    _password: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def url(self) -> str:
        """The URL of the proxy, for a program: `http://archiver:…@127.0.0.1:…`."""
        return f"http://archiver:{self._password}@127.0.0.1:{self.port}"

    async def serve(self, client: SocketStream) -> None:
        """Answer one connection."""
        async with client:
            try:
                with suppress(anyio.BrokenResourceError, anyio.EndOfStream, OSError):
                    await self._answer(client)
            except _Denied as denied:
                text = str(denied).encode()
                head = f"HTTP/1.1 {denied.status} Refused\r\nContent-Length: {len(text)}\r\n"
                with suppress(anyio.BrokenResourceError, OSError):
                    await client.send(head.encode() + b"Connection: close\r\n\r\n" + text)
            except Exception:  # one connection must not end the others
                log.exception("A bug: a connection of a resolver could not be served")

    async def _answer(self, client: SocketStream) -> None:
        head, rest = await _read_head(client)
        first, *lines = head.split(b"\r\n")
        match = _REQUEST.fullmatch(first)
        if match is None:
            raise _Denied(400, "not a request to a proxy")
        self._check_password(lines)
        if match[1] == b"CONNECT":
            server, _ = await self._connect_to(match[2].decode("latin-1"))
            await client.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            async with _closed_after(server):
                await self._tunnel(client, server, rest)
            return
        if match[1] not in _METHODS:
            raise _Denied(405, "only GET and HEAD go through without a tunnel")
        server, url = await self._open_url(match[2].decode("latin-1"))
        request = _closing([match[1] + b" " + url.raw_path + b" HTTP/1.1", *lines])
        async with _closed_after(server):
            await self._exchange(client, server, request)

    def _check_password(self, lines: list[bytes]) -> None:
        wanted = base64.b64encode(f"archiver:{self._password}".encode())
        for line in lines:
            name, _, value = line.partition(b":")
            scheme, _, given = value.strip().partition(b" ")
            is_password = name.lower() == b"proxy-authorization" and scheme.lower() == b"basic"
            if is_password and secrets.compare_digest(given.strip(), wanted):
                return
        raise _Denied(407, "the password is wrong")

    async def _connect_to(self, authority: str) -> tuple[NetworkStream, httpx.URL]:
        match = _HOST_PORT.fullmatch(authority)
        if match is None:
            raise _Denied(400, "not a host and a port")
        scheme = "http" if match[2] == "80" else "https"
        return await self._open(f"{scheme}://{authority}/")

    async def _open_url(self, text: str) -> tuple[NetworkStream, httpx.URL]:
        if not text.lower().startswith("http://"):
            raise _Denied(400, "not an absolute address of http")
        return await self._open(text)

    async def _open(self, text: str) -> tuple[NetworkStream, httpx.URL]:
        """A connection to the host of a URL, at an address that was checked, and that URL."""
        try:
            url = self.guard.check(text)
            port = url.port or (80 if url.scheme == "http" else 443)
            backend = GuardedBackend(self.guard)
            return await backend.connect_tcp(url.raw_host.decode(), port), url
        except MediaRefused as error:
            self.refused = self.refused or error.why or error.what
            raise _Denied(403, "this address is not allowed") from error
        except (httpx.ConnectError, httpx.ConnectTimeout, MediaError) as error:
            raise _Denied(502, "no connection") from error

    async def _tunnel(self, client: SocketStream, server: NetworkStream, first: bytes) -> None:
        """Pass bytes both ways until one side closes."""
        with suppress(httpx.NetworkError, httpx.TimeoutException):
            if first:
                await server.write(first, timeout=_SECONDS)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._upwards, client, server, tasks.cancel_scope)
                await self._downwards(client, server)
                tasks.cancel_scope.cancel()

    async def _exchange(self, client: SocketStream, server: NetworkStream, request: bytes) -> None:
        """Pass on one request and its answer.

        Nothing may follow: a second request could be for another host. So the answer says that
        the connection is closed, whatever the server says of its own (RFC 9110 section 7.6.1).
        """
        try:
            await server.write(request, timeout=_SECONDS)
            head, rest = await _read_answer_head(server)
        except (httpx.NetworkError, httpx.TimeoutException) as error:
            raise _Denied(502, "the server did not answer") from error
        self.received += len(head) + len(rest)
        await client.send(head)
        await self._downwards(client, server, rest)

    async def _downwards(
        self, client: SocketStream, server: NetworkStream, first: bytes = b""
    ) -> None:
        """Pass on what the server sends, up to the limit; `first` was read and counted already."""
        data = first
        with suppress(httpx.NetworkError, httpx.TimeoutException, OSError,
                      anyio.BrokenResourceError):  # fmt: skip
            while True:
                if self.received > self.max_bytes:
                    self.on_excess()
                    return
                if data:
                    await client.send(data)
                if not (data := await server.read(_CHUNK, timeout=_SECONDS)):
                    return
                self.received += len(data)

    @staticmethod
    async def _upwards(
        client: SocketStream, server: NetworkStream, scope: anyio.CancelScope
    ) -> None:
        with suppress(httpx.NetworkError, httpx.TimeoutException, OSError,
                      anyio.EndOfStream, anyio.BrokenResourceError):  # fmt: skip
            while True:
                await server.write(await client.receive(_CHUNK), timeout=_SECONDS)
        scope.cancel()


@asynccontextmanager
async def forward_proxy(
    guard: AddressGuard, max_bytes: int, on_excess: Callable[[], None]
) -> AsyncIterator[ForwardProxy]:
    """A proxy that runs until the context is left, on a port of its own."""
    proxy = ForwardProxy(guard, max_bytes, on_excess)
    failure: Exception | None = None
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        proxy.port = listener.extra(SocketAttribute.local_port)  # noqa: S610 — not of Django
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, proxy.serve)
            try:
                yield proxy
            except Exception as error:  # noqa: BLE001 — raised below, by itself and not in a group
                failure = error
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _read_head(client: SocketStream) -> tuple[bytes, bytes]:
    """The head of a request, and what came behind it."""
    data = b""
    with anyio.move_on_after(_SECONDS):
        while b"\r\n\r\n" not in data:
            if len(data) > _LARGEST_HEAD:
                raise _Denied(431, "its head is too large")
            data += await client.receive(_CHUNK)
    head, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        raise _Denied(408, "it took too long")
    return head, rest


async def _read_answer_head(server: NetworkStream) -> tuple[bytes, bytes]:
    """The head of the final answer, as it is passed on, and what came behind it."""
    data, total = b"", 0
    while True:
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            more = b"" if total > _LARGEST_HEAD else await server.read(_CHUNK, timeout=_SECONDS)
            if not more:
                raise _Denied(502, "the server did not answer")
            data, total = data + more, total + len(more)
        elif not (status := _ANSWER.match(head)):
            raise _Denied(502, "the server does not speak HTTP/1.1")
        elif status[1] == b"1":  # announces an answer
            data = rest
        else:
            return _closing(head.split(b"\r\n")), rest


@asynccontextmanager
async def _closed_after(server: NetworkStream) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await server.aclose()


def _closing(lines: list[bytes]) -> bytes:
    """A head without the fields that are for one connection only, which says that it closes."""
    fields = [line for line in lines if not line.lower().startswith(_NOT_FORWARDED)]
    return b"\r\n".join([*fields, b"Connection: close", b"", b""])
