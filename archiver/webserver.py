"""An ASGI application on sockets of this machine, served from a thread until a block ends."""

import asyncio
import errno
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn

from archiver.apis import AsgiApp
from archiver.errors import UsageError

_LOOPBACK = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
_TRIES = 20
_PATIENCE = 60.0  # seconds to start or stop: longer than the slowest machine needs
"""Seconds after which a server that does not start or stop is an error."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Raises UsageError when the port is taken, or the address is none of this machine.
    """
    try:
        return _bind(host, port)
    except OSError as error:
        raise UsageError(
            f"{host} port {port} cannot be listened on",
            why=error.strerror or str(error),
            hint="Name another port with --port, or let --port 0 choose one",
        ) from error


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sends small answers at once only if it is.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock


def listen_on_loopback(port: int = 0) -> list[socket.socket]:
    """Listening sockets of one port on as many of three loopback addresses as the system has.

    A server on them is reached by names that differ, as the media hosts of a platform do.
    Raises OSError when the port is taken.
    """
    for _ in range(_TRIES):
        sockets = [_bind(_LOOPBACK[0], port)]
        chosen = sockets[0].getsockname()[1]
        taken = False
        for host in _LOOPBACK[1:]:
            try:
                sockets.append(_bind(host, chosen))
            except OSError as error:
                taken = taken or error.errno == errno.EADDRINUSE
        if not taken or port:
            return sockets
        for sock in sockets:
            sock.close()
    raise OSError(errno.EADDRINUSE, "no port is free on all loopback addresses")


def origin_of(sock: socket.socket) -> str:
    """How a client on this machine calls a server on that socket: `http://127.0.0.1:8000`."""
    host, port = sock.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def running(
    app: AsgiApp, sockets: Sequence[socket.socket], *, lifespan: bool = False, quiet: bool = False
) -> Iterator[threading.Thread]:
    """Serve an application on these sockets, and close them when the block ends.

    The thread that is given ends only with the block, or when the server failed. `lifespan` tells
    the application when the server starts and stops; with `quiet`, an answer that it breaks off is
    not logged as an error.
    """
    server = _Server(_config(app, lifespan=lifespan, quiet=quiet))
    name = f"server-{sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=server.run_in_thread, args=(sockets,), name=name, daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_PATIENCE) or server.failure:
            raise RuntimeError("the server did not start") from server.failure
        yield thread
    finally:
        server.stop()
        thread.join(_PATIENCE)


def wait_until_interrupted(thread: threading.Thread) -> None:
    """Until Ctrl-C or SIGTERM, which is how a server is meant to end, or until it failed."""
    try:
        while thread.is_alive():
            thread.join(1.0)  # on Windows a wait without end would not hear Ctrl-C
    except KeyboardInterrupt:
        pass


class _Server(uvicorn.Server):
    """A uvicorn server that starts, waits and stops without polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None

    def run_in_thread(self, sockets: Sequence[socket.socket]) -> None:
        try:
            asyncio.run(self.serve(list(sockets)))
        except BaseException as error:  # noqa: BLE001  # told to whoever waits for the start
            self.failure = error
        finally:
            for sock in sockets:
                sock.close()
            self.ready.set()

    def stop(self) -> None:
        if self._loop is not None and self._over is not None:
            with suppress(RuntimeError):  # it has stopped by itself
                self._loop.call_soon_threadsafe(self._over.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)
        if self.should_exit:
            self.failure = RuntimeError("the application did not start")
        self.ready.set()

    async def main_loop(self) -> None:
        if self._over is not None:
            await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 — uvicorn calls it so
        """Stop listening, drop what is open, and wait for what was at work."""
        for listener in self.servers:
            listener.close()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)
        await self.lifespan.shutdown()


def _config(app: AsgiApp, *, lifespan: bool, quiet: bool) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on" if lifespan else "off",
        log_config=None,
        log_level="critical" if quiet else "warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
    )
