"""A network backend on asyncio's protocols; faster than anyio's streams.

anyio's streams take longer for each read than the read itself, and handle TLS record by record in
Python. Here the event loop reads into one buffer that all connections share, for TCP and for TLS.
"""

import asyncio
import select
import socket
import ssl
from collections import deque
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any, cast

import anyio
import httpx

from archiver.net.network_errors import describe_broken_connection, describe_connect_error

_BUFFER = 256 * 1024
_HIGH_WATER = 512 * 1024  # reading pauses while a connection has more unread bytes
_CLOSING_SECONDS = 5.0
_ATTEMPT_DELAY = 0.25  # seconds; RFC 8305 section 5, Connection Attempt Delay

_Address = tuple[int, Any]
"""A family, and an address of it."""


class Sockets:
    """Opens connections on the running asyncio loop; one loop at a time."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(_BUFFER))

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
    ) -> "Stream":
        """A connection. Raises httpx.ConnectError and httpx.ConnectTimeout."""
        try:
            # anyio before 4.16 loses a timeout of asyncio that expires together with its own
            with anyio.fail_after(timeout):
                sock = await _connect_first(await _addresses(host, port))
                return await self._stream(sock)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except OSError as error:
            why = describe_connect_error(host, port, error)
            raise httpx.ConnectError(why) from error

    async def _stream(self, sock: socket.socket) -> "Stream":
        try:
            _, stream = await asyncio.get_running_loop().create_connection(
                lambda: Stream(self._buffer), sock=sock
            )
        except BaseException:
            sock.close()
            raise
        return stream


async def _addresses(host: str, port: int) -> list[_Address]:
    """The addresses of a host, IPv6 and IPv4 alternately. Raises OSError."""
    try:
        # with this flag it asks nobody, and needs no thread
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    first = [(family, address) for family, *_, address in found if family == found[0][0]]
    others = [(family, address) for family, *_, address in found if family != found[0][0]]
    turns = zip_longest(first, others)
    return [address for turn in turns for address in turn if address is not None]


async def _connect_first(addresses: Iterable[_Address]) -> socket.socket:
    """A socket that is connected to the first of these addresses that answers (RFC 8305).

    Each is tried when the previous one has failed, or has not answered for a moment. asyncio has
    this too, but may leave a socket open when it is cancelled. The caller closes the socket.
    Raises OSError.
    """
    opened: list[socket.socket] = []
    connected: list[socket.socket] = []
    errors: list[OSError] = []

    async def attempt(family: int, address: Any, done: anyio.Event) -> None:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
            opened.append(sock)
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, address)
            connected.append(sock)
            attempts.cancel_scope.cancel()
        except OSError as error:
            errors.append(error)
        finally:
            done.set()

    try:
        async with anyio.create_task_group() as attempts:
            for family, address in addresses:
                done = anyio.Event()
                attempts.start_soon(attempt, family, address, done)
                with anyio.move_on_after(_ATTEMPT_DELAY):
                    await done.wait()
        if not connected:
            raise errors[0] if errors else OSError("there is no address")
        opened.remove(connected[0])
        return connected[0]
    finally:
        for sock in opened:
            sock.close()


class Stream(asyncio.BufferedProtocol):
    """One connection, with a buffer of at most half a mebibyte and one read.

    `buffer` is where the loop reads to; it is empty between two calls, so that all streams of a
    loop can share it.
    """

    def __init__(self, buffer: memoryview) -> None:
        self._buffer = buffer
        self._transport: asyncio.Transport | None = None
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._eof = False
        self._lost = False
        self._error: Exception | None = None
        self._is_paused = False
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._reader: asyncio.Future[None] | None = None
        self._closing: asyncio.Future[None] | None = None

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 — the interface
        """Where the loop may read to."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """So many bytes were read."""
        self._chunks.append(bytes(self._buffer[:nbytes]))
        self._buffered += nbytes
        if self._buffered > _HIGH_WATER and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake_reader()

    def eof_received(self) -> bool:
        """The peer sends no more; asyncio closes the connection."""
        self._eof = True
        self._wake_reader()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed; `exc` says why, unless the peer closed it normally."""
        self._eof = self._lost = True
        self._error = exc
        self._may_write.set()
        self._wake_reader()
        if self._closing is not None and not self._closing.done():
            self._closing.set_result(None)

    def pause_writing(self) -> None:
        """The send buffer is full."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """The send buffer has room again."""
        self._may_write.set()

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # the connection's interface

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes, as soon as there are any; empty at the end.

        Raises httpx.ReadTimeout and httpx.ReadError.
        """
        if not self._chunks and not self._eof:
            await self._wait(timeout)
        if not self._chunks:
            if self._error is not None:
                raise httpx.ReadError(describe_broken_connection(self._error)) from self._error
            return b""
        data = self._chunks.popleft()
        if len(data) > max_bytes:
            self._chunks.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        self._buffered -= len(data)
        if self._is_paused and self._buffered <= _HIGH_WATER // 2 and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        return data

    async def _wait(self, timeout: float | None) -> None:
        loop = asyncio.get_running_loop()
        self._reader = loop.create_future()
        timer = loop.call_later(timeout, self._expire, self._reader) if timeout else None
        try:
            await self._reader
        finally:
            self._reader = None
            if timer is not None:
                timer.cancel()

    @staticmethod
    def _expire(reader: "asyncio.Future[None]") -> None:
        if not reader.done():
            reader.set_exception(httpx.ReadTimeout(""))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes. Raises httpx.WriteTimeout and httpx.WriteError."""
        if not buffer:
            return
        if self._transport is None or self._lost or self._transport.is_closing():
            raise self._write_error()
        self._transport.write(buffer)
        if self._may_write.is_set():
            return
        try:
            async with asyncio.timeout(timeout):
                await self._may_write.wait()
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        if self._lost:
            raise self._write_error()

    def _write_error(self) -> httpx.WriteError:
        why = describe_broken_connection(self._error) if self._error else "the connection is closed"
        return httpx.WriteError(why)

    async def aclose(self) -> None:
        """Close the connection at once: data still in transit is discarded."""
        if self._transport is None or self._lost:
            return
        self._transport.abort()
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._closing], timeout=_CLOSING_SECONDS)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "Stream":
        """Start TLS; this stream is encrypted from now on.

        Raises httpx.ConnectError and httpx.ConnectTimeout.
        """
        loop = asyncio.get_running_loop()
        raw = self._transport
        assert raw is not None  # noqa: S101 — the connection is there
        try:
            async with asyncio.timeout(timeout):
                self._transport = await loop.start_tls(
                    raw, self, ssl_context, server_hostname=server_hostname
                )
        except BaseException as error:
            # until the handshake is complete, asyncio does not call connection_lost
            self._lost = True
            raw.abort()
            if isinstance(error, TimeoutError):
                raise httpx.ConnectTimeout(str(error)) from error
            if isinstance(error, OSError):  # ssl.SSLError is one
                why = describe_broken_connection(error) or "the connection was closed"
                raise httpx.ConnectError(f"the TLS handshake failed: {why}") from error
            raise
        if self._transport is None:
            raise httpx.ConnectError("the connection was closed during the handshake")
        return self

    def get_extra_info(self, info: str) -> Any:
        """What asyncio knows of the connection; `is_readable` is true where it cannot be reused."""
        if info != "is_readable":
            return self._transport and self._transport.get_extra_info(info)
        if self._eof or self._chunks or self._transport is None or self._transport.is_closing():
            return True
        return _is_readable(self._transport.get_extra_info("socket").fileno())


def _is_readable(descriptor: int) -> bool:
    """Whether bytes, or the end, have arrived that the loop has not read yet."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([descriptor], [], [], 0)[0])
