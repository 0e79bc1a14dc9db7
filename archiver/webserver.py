"""Runs an ASGI application in a thread, on local sockets, for as long as a `with` block."""

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
_MAX_TRIES = 20
_MAX_SECONDS = 60.0
"""Seconds that a server has to start or to stop; much longer than a slow machine needs."""


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
    # asyncio sets TCP_NODELAY only on sockets whose protocol is given
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

    So one server has several host names, as a platform has several media hosts.
    Raises OSError when the port is taken.
    """
    for _ in range(_MAX_TRIES):
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
    """The origin of a server on that socket: `http://127.0.0.1:8000`."""
    host, port = sock.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def running(
    app: AsgiApp, sockets: Sequence[socket.socket], *, lifespan: bool = False, quiet: bool = False
) -> Iterator[threading.Thread]:
    """Serve an application on these sockets, and close them when the block ends.

    Yields the server's thread, which ends with the block, or when the server fails. `lifespan`:
    the application gets the events of ASGI's lifespan. `quiet`: an answer
    that the application does not finish is not logged as an error.
    """
    server = _Server(_config(app, lifespan=lifespan, quiet=quiet))
    name = f"server-{sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=server.run_in_thread, args=(sockets,), name=name, daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_MAX_SECONDS) or server.failure:
            raise RuntimeError("the server did not start") from server.failure
        yield thread
    finally:
        server.stop()
        thread.join(_MAX_SECONDS)


def wait_until_interrupted(thread: threading.Thread) -> None:
    """Wait for Ctrl-C or SIGTERM, or until the server fails."""
    try:
        while thread.is_alive():
            thread.join(1.0)  # on Windows, Ctrl-C does not interrupt an endless wait
    except KeyboardInterrupt:
        pass


class _Server(uvicorn.Server):
    """A uvicorn server that starts, waits and stops without polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None

    def run_in_thread(self, sockets: Sequence[socket.socket]) -> None:
        try:
            asyncio.run(self.serve(list(sockets)))
        except BaseException as error:  # noqa: BLE001  # raised where `running` waits for the start
            self.failure = error
        finally:
            for sock in sockets:
                sock.close()
            self.ready.set()

    def stop(self) -> None:
        if self._loop is not None and self._stopped is not None:
            with suppress(RuntimeError):  # it has stopped by itself
                self._loop.call_soon_threadsafe(self._stopped.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)
        if self.should_exit:
            self.failure = RuntimeError("the application did not start")
        self.ready.set()

    async def main_loop(self) -> None:
        if self._stopped is not None:
            await self._stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 — uvicorn calls it so
        """Stop listening, cancel open requests, and close all connections."""
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
