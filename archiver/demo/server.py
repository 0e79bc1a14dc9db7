"""A world on a port of this machine, over real HTTP.

    with serve(world) as server:
        httpx.get(server.base_url + "/user", headers={"Authorization": f"Bearer {world.api_key}"})

API and media share one port. It is bound on several loopback addresses where the system has them,
so that a rotation of the media hosts is a real one.
"""

import asyncio
import errno
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import uvicorn

from archiver.demo.app import application
from archiver.demo.world import World

_HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
_TRIES = 20
_PATIENCE = 10.0
"""Seconds after which a server that does not start or stop is an error."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where a world is served: `base_url` for the API, `origins` for media."""

    base_url: str
    port: int
    origins: tuple[str, ...]


@contextmanager
def serve(world: World, *, port: int = 0) -> Iterator[RunningServer]:
    """Serve a world from a thread until the block ends; port 0 takes any free one.

    The world may be changed from outside meanwhile: each request sees it as it is.
    Raises OSError when the port is taken.
    """
    sockets = _bind(port)
    chosen = sockets[0].getsockname()[1]
    origins = tuple(f"http://{sock.getsockname()[0]}:{chosen}" for sock in sockets)
    before, world.origins = world.origins, list(origins)
    server = _Server(_config(world))
    thread = threading.Thread(
        target=server.run_in_thread, args=(sockets,), name=f"demo-{chosen}", daemon=True
    )
    thread.start()
    try:
        if not server.ready.wait(_PATIENCE) or server.failure:
            raise RuntimeError("the demo server did not start") from server.failure
        yield RunningServer(f"{origins[0]}/api", chosen, origins)
    finally:
        server.stop()
        thread.join(_PATIENCE)
        world.origins = before


class _Server(uvicorn.Server):
    """A uvicorn server that starts, waits and stops without polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None

    def run_in_thread(self, sockets: list[socket.socket]) -> None:
        try:
            asyncio.run(self.serve(sockets))
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
        self.ready.set()

    async def main_loop(self) -> None:
        if self._over is not None:
            await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
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


def _config(world: World) -> uvicorn.Config:
    return uvicorn.Config(
        application(world),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # an answer that is cut off on purpose is no error
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
    )


def _bind(port: int) -> list[socket.socket]:
    """One port on as many loopback addresses as the system has."""
    for _ in range(_TRIES):
        sockets = [_listen(_HOSTS[0], port)]
        chosen = sockets[0].getsockname()[1]
        taken = False
        for host in _HOSTS[1:]:
            try:
                sockets.append(_listen(host, chosen))
            except OSError as error:
                taken = taken or error.errno == errno.EADDRINUSE
        if not taken or port:
            break
        for sock in sockets:
            sock.close()
    else:
        raise OSError(errno.EADDRINUSE, "no port is free on all loopback addresses")
    return sockets


def _listen(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio sends small answers at once only if it is.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock
