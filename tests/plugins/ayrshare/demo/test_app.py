"""The server starts, stops and leaves nothing behind, many at a time."""

import threading
from contextlib import ExitStack
from datetime import timedelta

import anyio
import anyio.lowlevel
import httpx
import pytest

from archiver.clock import START, DemoClock
from archiver_ayrshare.demo.world import World
from support.served_world import serve

pytestmark = pytest.mark.slow


def test_twenty_servers_live_side_by_side(clock: DemoClock) -> None:
    with ExitStack() as stack:
        servers = []
        for k in range(20):
            world = World(clock.now, k)
            world.api_key = f"key-{k}"
            servers.append((world.api_key, stack.enter_context(serve(world))))
        assert len({server.port for _, server in servers}) == 20
        for key, server in servers:
            headers = {"Authorization": f"Bearer {key}"}
            assert (
                httpx.get(f"{server.base_url}/user", headers=headers, timeout=120).status_code
                == 200
            )
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("demo-")]


def test_after_the_block_nobody_answers_even_if_a_connection_was_open(world: World) -> None:
    with httpx.Client(timeout=120) as client:
        with serve(world) as server:
            assert client.get(f"{server.base_url}/user").status_code == 401
        with pytest.raises(httpx.TransportError):
            client.get(f"{server.base_url}/user")
    assert world.origins == ["http://media.invalid"]


def test_a_world_can_be_served_again_on_the_same_port(world: World) -> None:
    with serve(world) as first:
        pass
    with serve(world, port=first.port) as second:
        assert second.base_url == first.base_url
        assert httpx.get(f"{second.base_url}/user", timeout=120).status_code == 401


def test_a_taken_port_is_an_error(world: World) -> None:
    with (
        serve(world) as server,
        pytest.raises(OSError, match="in use"),
        serve(world, port=server.port),
    ):
        pass


def test_media_come_from_every_address_of_the_server(world: World) -> None:
    world.account("tiktok").populate(1)
    path = next(iter(world.files))
    with serve(world) as server:
        for origin in server.origins:
            assert httpx.get(f"{origin}{path}", timeout=120).status_code == 403


@pytest.mark.anyio
async def test_a_clock_that_stands_still_moves_when_it_sleeps() -> None:
    clock = DemoClock()
    assert clock.now() == START
    await clock.sleep(90)
    assert (clock.now() - START, clock.monotonic()) == (timedelta(seconds=90), 90.0)
    clock.advance(days=1)
    assert clock.now() - START == timedelta(days=1, seconds=90)
    assert clock.monotonic() == 90.0


@pytest.mark.anyio
async def test_a_running_clock_goes_on_by_itself() -> None:
    clock = DemoClock(running=True)
    before = clock.now()
    await anyio.lowlevel.checkpoint()
    await clock.sleep(0)
    assert clock.now() >= before >= START
