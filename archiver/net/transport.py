"""An httpx transport with a connection pool.

The pool of httpcore checks every idle connection twice per request, with a system call each, and so
gets slower with more connections. Here a request takes a slot (first come, first served), then the
origin's most recently used connection or a new one: the time for that does not depend on how many
there are. HTTP/1.1 only, no cookies, no proxy but the route's, nothing from the environment.
"""

import ssl
from collections.abc import AsyncIterator

import anyio
import httpx

from archiver.net.encoding import Chunks
from archiver.net.http1 import Connection, HttpResponse
from archiver.net.network import NetworkBackend
from archiver.net.proxy import Route
from archiver.net.sockets import Sockets

_Origin = tuple[bytes, bytes, int | None]
_KEEPALIVE_SECONDS = 90.0
_REPLAYABLE = frozenset({"GET", "HEAD"})


class Transport(httpx.AsyncBaseTransport):
    """At most `connections` at once, `per_host` of them to one origin; idle ones count, too.

    `backend` opens the sockets, to the proxy where the `route` has one. What it raises besides
    httpx's exceptions passes through.
    """

    def __init__(
        self,
        *,
        connections: int,
        per_host: int,
        backend: NetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
        route: Route = Route(),  # noqa: B008 — frozen
        keepalive: float = _KEEPALIVE_SECONDS,
    ) -> None:
        self._connections = connections
        self._per_host = per_host
        self._backend = backend or Sockets()
        self._ssl_context = ssl_context
        self._route = route
        self._keepalive = keepalive
        self._slots = anyio.Semaphore(connections, fast_acquire=True)
        self._hosts: dict[_Origin, _Host] = {}
        self._idle: dict[Connection, _Host] = {}  # the one that has been idle longest comes first
        self._busy = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to one request; its connection is free again when the answer is closed.

        Besides those of httpx, there may be a timeout `answer`: seconds until the head of the
        answer has come. None of them counts the time that the request waits for a connection.
        """
        host = await self._acquire_slots(request.url)
        try:
            connection, answer = await self._send(host, request)
        except BaseException:
            self._release_slots(host)
            raise
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(self, host, connection, answer.body),
        )

    async def aclose(self) -> None:
        """Close what is idle. Answers still open close their own connections."""
        idle, self._idle = list(self._idle), {}
        self._keepalive = 0.0
        for host in self._hosts.values():
            host.idle.clear()
        for connection in idle:
            await connection.aclose()

    async def _acquire_slots(self, url: httpx.URL) -> "_Host":
        """Wait for a slot of the origin, then for one of the total; first come, first served."""
        key = (url.raw_scheme, url.raw_host, url.port)
        host = self._hosts.get(key)
        if host is None:
            host = self._hosts[key] = _Host(key, self._per_host)
        host.users += 1
        try:
            await _acquire(host.slots)
            try:
                await _acquire(self._slots)
            except BaseException:
                host.slots.release()
                raise
        except BaseException:
            self._forget(host)
            raise
        self._busy += 1
        return host

    def _release_slots(self, host: "_Host") -> None:
        self._busy -= 1
        self._slots.release()
        host.slots.release()
        self._forget(host)

    def _forget(self, host: "_Host") -> None:
        """Drop an origin that is not in use: there can be thousands."""
        host.users -= 1
        if not host.users and not host.idle:
            self._hosts.pop(host.key, None)

    async def _send(self, host: "_Host", request: httpx.Request) -> tuple[Connection, HttpResponse]:
        connection = await self._take_idle(host)
        if connection is not None:
            try:
                return connection, await connection.send(request)
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                # A server may close an idle connection just as it is used again: no answer came,
                # so the request is sent once more (RFC 9112 section 9.3.1).
                await _close(connection)
                if request.method not in _REPLAYABLE:
                    raise
            except BaseException:
                await _close(connection)
                raise
        connection = await self._connect(request.url)
        try:
            return connection, await connection.send(request)
        except BaseException:
            await _close(connection)
            raise

    async def _take_idle(self, host: "_Host") -> Connection | None:
        while host.idle:
            connection, _ = host.idle.popitem()
            del self._idle[connection]
            if connection.is_usable():
                return connection
            await _close(connection)
        return None

    async def _connect(self, url: httpx.URL) -> Connection:
        if self._idle and self._busy + len(self._idle) > self._connections:
            longest = next(iter(self._idle))
            owner = self._idle.pop(longest)
            del owner.idle[longest]
            if not owner.users and not owner.idle:
                self._hosts.pop(owner.key, None)
            await _close(longest)
        return Connection(
            url, backend=self._backend, ssl_context=self._context, keepalive=self._keepalive,
            proxy=self._route.proxy,
        )  # fmt: skip

    def _context(self) -> ssl.SSLContext:
        return self._ssl_context or self._route.tls

    def keep(self, host: "_Host", connection: Connection) -> bool:
        """Keep a connection whose response was read completely, and free its slots.

        Returns whether it was kept; if not, it is to be given to `drop`.
        """
        if not (connection.is_idle and self._keepalive):
            return False
        host.idle[connection] = None
        self._idle[connection] = host
        self._release_slots(host)
        return True

    async def drop(self, host: "_Host", connection: Connection) -> None:
        """Close a connection, and free its slots."""
        try:
            await _close(connection)
        finally:
            self._release_slots(host)


class _Host:
    """One origin: its slots, and its idle connections, the most recently used one last."""

    def __init__(self, key: _Origin, per_host: int) -> None:
        self.key = key
        self.slots = anyio.Semaphore(per_host, fast_acquire=True)
        self.idle: dict[Connection, None] = {}
        self.users = 0


class _Body(httpx.AsyncByteStream):
    """The body of an answer, as it comes from the wire."""

    def __init__(
        self,
        transport: Transport,
        host: _Host,
        connection: Connection,
        body: Chunks,
    ) -> None:
        self._transport = transport
        self._host = host
        self._connection = connection
        self._body = body
        self._open = True

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)

    async def aclose(self) -> None:
        if not self._open:
            return
        self._open = False
        if self._transport.keep(self._host, self._connection):
            return
        with anyio.CancelScope(shield=True):
            try:
                await self._body.aclose()
            finally:
                await self._transport.drop(self._host, self._connection)


async def _acquire(slots: anyio.Semaphore) -> None:
    """Take a slot; at once where one is free, without the check whether the task is cancelled."""
    try:
        slots.acquire_nowait()
    except anyio.WouldBlock:
        await slots.acquire()


async def _close(connection: Connection) -> None:
    with anyio.CancelScope(shield=True):
        await connection.aclose()
