"""A world of the demo on a port of this machine, over real HTTP.

    with serve(world) as server:
        httpx.get(server.base_url + "/user", headers={"Authorization": f"Bearer {world.api_key}"})

API and media share one port. It is bound on several loopback addresses where the system has them,
so that a rotation of the media hosts is a real one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from archiver.webserver import listen_on_loopback, origin_of, running
from archiver_ayrshare.demo.app import application
from archiver_ayrshare.demo.world import World


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
    sockets = listen_on_loopback(port)
    origins = tuple(map(origin_of, sockets))
    before, world.origins = world.origins, list(origins)
    try:
        with running(application(world), sockets, quiet=True):
            yield RunningServer(f"{origins[0]}/api", sockets[0].getsockname()[1], origins)
    finally:
        world.origins = before
