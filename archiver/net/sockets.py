"""Sockets under httpcore's interface of a network backend, on asyncio's own protocols.

anyio's streams cost more per read than reading does, and their TLS is driven from Python record
by record. Here the event loop reads into one buffer that all connections share, for plain TCP and
for TLS alike, and a reader gets what has come as one piece.
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
import httpcore

from archiver.net.network_errors import describe_broken_connection, describe_connect_error

_BUFFER = 256 * 1024
_HIGH = 512 * 1024  # so much may wait in one connection before the peer is made to wait
_CLOSING_SECONDS = 5.0
_HEAD_START = 0.25  # RFC 8305 section 5: the next address is tried after so many seconds

_Address = tuple[int, Any]
"""A family, and an address of it."""


class Sockets(httpcore.AsyncNetworkBackend):
    """Opens connections on the running asyncio loop; one loop at a time."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(_BUFFER))

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection. Raises httpcore.ConnectError and httpcore.ConnectTimeout."""
        try:
            # anyio before 4.16 loses a timeout of asyncio that expires together with its own
            with anyio.fail_after(timeout):
                sock = await _first_to_answer(await _addresses(host, port), local_address)
                return await self._stream(sock, socket_options or ())
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            why = describe_connect_error(host, port, error)
            raise httpcore.ConnectError(why) from error

    async def _stream(
        self, sock: socket.socket, options: Iterable[httpcore.SOCKET_OPTION]
    ) -> "Stream":
        try:
            for option in options:
                sock.setsockopt(*option)
            _, stream = await asyncio.get_running_loop().create_connection(
                lambda: Stream(self._buffer), sock=sock
            )
        except BaseException:
            sock.close()
            raise
        return stream

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        await anyio.sleep(seconds)


async def _addresses(host: str, port: int) -> list[_Address]:
    """Where a host may be, IPv6 and IPv4 by turns. Raises OSError."""
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )  # needs no thread
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    first = [(family, address) for family, *_, address in found if family == found[0][0]]
    others = [(family, address) for family, *_, address in found if family != found[0][0]]
    turns = zip_longest(first, others)
    return [address for turn in turns for address in turn if address is not None]


async def _first_to_answer(addresses: Iterable[_Address], local: str | None) -> socket.socket:
    """A socket that is connected to one of these addresses; whoever gets it closes it.

    Each is tried as soon as the one before has failed, or has not answered for a moment (RFC 8305).
    asyncio can do this too, but when it is cancelled it may leave a socket open. Raises OSError.
    """
    opened: list[socket.socket] = []
    connected: list[socket.socket] = []
    errors: list[OSError] = []

    async def attempt(family: int, address: Any, over: anyio.Event) -> None:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
            opened.append(sock)
            sock.setblocking(False)
            if local is not None:
                sock.bind((local, 0))
            await asyncio.get_running_loop().sock_connect(sock, address)
            connected.append(sock)
            attempts.cancel_scope.cancel()
        except OSError as error:
            errors.append(error)
        finally:
            over.set()

    try:
        async with anyio.create_task_group() as attempts:
            for family, address in addresses:
                over = anyio.Event()
                attempts.start_soon(attempt, family, address, over)
                with anyio.move_on_after(_HEAD_START):
                    await over.wait()
        if not connected:
            raise errors[0] if errors else OSError("there is no address")
        opened.remove(connected[0])
        return connected[0]
    finally:
        for sock in opened:
            sock.close()


class Stream(asyncio.BufferedProtocol, httpcore.AsyncNetworkStream):
    """One connection: bytes wait here until they are read, at most half a mebibyte of them.

    `buffer` is where the loop reads to; it holds nothing between two calls, so all streams of a
    loop may share one.
    """

    def __init__(self, buffer: memoryview) -> None:
        self._buffer = buffer
        self._transport: asyncio.Transport | None = None
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._over = False
        self._lost = False
        self._error: Exception | None = None
        self._is_paused = False
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._reader: asyncio.Future[None] | None = None
        self._closing: asyncio.Future[None] | None = None

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 — the interface
        """Where the loop may read to."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """So many bytes were read."""
        self._pieces.append(bytes(self._buffer[:nbytes]))
        self._waiting += nbytes
        if self._waiting > _HIGH and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The peer sends no more; asyncio closes the connection."""
        self._over = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; `exc` says why, where the peer did not just end it."""
        self._over = self._lost = True
        self._error = exc
        self._may_write.set()
        self._wake()
        if self._closing is not None and not self._closing.done():
            self._closing.set_result(None)

    def pause_writing(self) -> None:
        """The peer does not keep up."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """The peer does again."""
        self._may_write.set()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # httpcore's interface

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come, or comes next; nothing at the end.

        Raises httpcore.ReadTimeout and httpcore.ReadError.
        """
        if not self._pieces and not self._over:
            await self._wait(timeout)
        if not self._pieces:
            if self._error is not None:
                raise httpcore.ReadError(describe_broken_connection(self._error)) from self._error
            return b""
        data = self._pieces.popleft()
        if len(data) > max_bytes:
            self._pieces.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        self._waiting -= len(data)
        if self._is_paused and self._waiting <= _HIGH // 2 and self._transport is not None:
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
            reader.set_exception(httpcore.ReadTimeout())

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes. Raises httpcore.WriteTimeout and httpcore.WriteError."""
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
            raise httpcore.WriteTimeout(str(error)) from error
        if self._lost:
            raise self._write_error()

    def _write_error(self) -> httpcore.WriteError:
        why = describe_broken_connection(self._error) if self._error else "the connection is closed"
        return httpcore.WriteError(why)

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
    ) -> httpcore.AsyncNetworkStream:
        """Go on over TLS; this stream is the encrypted one from now on.

        Raises httpcore.ConnectError and httpcore.ConnectTimeout.
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
            # until the handshake is over, asyncio tells nobody that the connection is lost
            self._lost = True
            raw.abort()
            if isinstance(error, TimeoutError):
                raise httpcore.ConnectTimeout(str(error)) from error
            if isinstance(error, OSError):  # ssl.SSLError is one
                why = describe_broken_connection(error) or "the connection was closed"
                raise httpcore.ConnectError(f"the TLS handshake failed: {why}") from error
            raise
        if self._transport is None:
            raise httpcore.ConnectError("the connection was closed during the handshake")
        return self

    def get_extra_info(self, info: str) -> Any:
        """What asyncio knows of the connection; `is_readable` is true where it is of no use."""
        if info != "is_readable":
            return self._transport and self._transport.get_extra_info(info)
        if self._over or self._pieces or self._transport is None or self._transport.is_closing():
            return True
        return _is_readable(self._transport.get_extra_info("socket").fileno())


def _is_readable(descriptor: int) -> bool:
    """Whether something has come that the loop has not read yet, be it the end."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([descriptor], [], [], 0)[0])
