"""A world on a port of this machine, over real HTTP.

    with serve(world) as server:
        httpx.get(server.base_url + "/user", headers={"Authorization": f"Bearer {world.api_key}"})

API and media share one port. It is bound on several loopback addresses where the system has them,
so that a rotation of the media hosts is a real one.
"""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from archiver.api.running import listen, running
from archiver.demo.app import application
from archiver.demo.world import World

_HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
_TRIES = 20


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
    try:
        with running(application(world), sockets):
            yield RunningServer(f"{origins[0]}/api", chosen, origins)
    finally:
        world.origins = before


def _bind(port: int) -> list[socket.socket]:
    """One port on as many loopback addresses as the system has."""
    for _ in range(_TRIES):
        sockets = [listen(_HOSTS[0], port)]
        chosen = sockets[0].getsockname()[1]
        taken = False
        for host in _HOSTS[1:]:
            try:
                sockets.append(listen(host, chosen))
            except OSError as error:
                taken = taken or error.errno == errno.EADDRINUSE
        if not taken or port:
            break
        for sock in sockets:
            sock.close()
    else:
        raise OSError(errno.EADDRINUSE, "no port is free on all loopback addresses")
    return sockets
