"""Limits of a source that several workers share."""

import anyio
import pytest

from archiver.fleet.database import connected
from archiver.fleet.shared_buckets import SharedBuckets, reserve_token
from support.fleet.fleets import FleetBench


def test_no_window_has_more_requests_than_are_allowed() -> None:
    """Ten workers that ask without a pause, in a time that only their waits move."""
    most, window = 300, 300.0
    tokens, at, now, made = None, 0.0, 0.0, []
    for _ in range(2000):
        tokens, wait = reserve_token(tokens, now - at, most, window)
        at = now
        made.append(now + wait)
        now += window / most / 10
    made.sort()
    for first, later in zip(made, made[most:], strict=False):
        assert later - first >= window * 0.999


def test_a_bucket_that_was_left_alone_is_full_and_not_more() -> None:
    tokens, wait = reserve_token(-5.0, 1e9, 300, 300.0)
    assert (tokens, wait) == (29.0, 0.0)
    assert reserve_token(None, 0.0, 1, 300.0) == (0.0, 0.0)
    assert reserve_token(0.0, 0.0, 1, 300.0) == (-1.0, 300.0)


@pytest.mark.peers
def test_two_workers_share_a_limit_and_a_pause(fleet: FleetBench) -> None:
    one, other = SharedBuckets(fleet.address), SharedBuckets(fleet.address)

    async def ask() -> None:
        assert await one.reserve("a", None, 300, 900) == 0, "a limit that nobody knows yet"
        waits = [await one.reserve("a", 20, 300, 900), await other.reserve("a", None, 300, 900)]
        assert waits == [0, 0]
        assert 10 < await other.reserve("a", None, 300, 900) < 17
        assert await one.reserve("b", 20, 300, 900) == 0, "another key has another limit"
        await one.pause("b", 200)
        assert 190 < await other.reserve("b", 20, 300, 900) <= 200
        assert await other.reserve("b", 20, 300, 100) > 100

    anyio.run(ask)
    with connected(fleet.address) as connection:
        rows = connection.execute("SELECT key, most, asked, refused FROM fleet.limits ORDER BY key")
        assert [tuple(row) for row in rows] == [("a", 20, 4, 0), ("b", 20, 2, 1)]
    one.close()
    other.close()


def test_without_a_database_requests_are_made(caplog: pytest.LogCaptureFixture) -> None:
    buckets = SharedBuckets("postgresql://nobody@127.0.0.1:9/none")

    async def ask() -> None:
        await buckets.pause("a", 10)
        assert await buckets.reserve("a", 20, 300, 900) == 0

    anyio.run(ask)
    assert caplog.text.count("not shared") == 2
