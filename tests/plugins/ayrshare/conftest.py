"""A world, served, and somebody who asks it things."""

from collections.abc import Iterator

import httpx
import pytest

from archiver.clock import DemoClock
from archiver_ayrshare.demo.world import World
from support.demo.asking import Api
from support.served_world import serve


@pytest.fixture
def clock() -> DemoClock:
    return DemoClock()


@pytest.fixture
def world(clock: DemoClock) -> World:
    return World(clock.now)


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with serve(world) as server, httpx.Client(timeout=120) as client:
        yield Api(world, server, client)
