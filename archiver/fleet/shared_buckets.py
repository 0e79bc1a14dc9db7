"""Rate limits of sources that all workers of a fleet share: token buckets in PostgreSQL.

A bucket is named by its source, the server, and the lane, which for a middleman is a profile. It is
refilled so that no window has more requests than are allowed, whatever workers do.
"""

import logging
import threading
from typing import Any

import psycopg
from anyio import to_thread

from archiver.fleet.database import connect

_log = logging.getLogger(__name__)
_BURST = 0.1
"""The part of what a window allows that may be asked at once; the rest is spread over it."""


def level_of(tokens: float, idle: float, most: int, window: float) -> float:
    """How many requests may be made now, where `tokens` were left `idle` seconds ago."""
    return min(_burst(most), tokens + max(idle, 0.0) * _rate(most, window))


def reserve_token(
    tokens: float | None, idle: float, most: int, window: float
) -> tuple[float, float]:
    """What is left in a bucket, and the seconds until the request that was just reserved.

    `tokens` were left `idle` seconds ago; None: the bucket is new, and full. What is left may be
    less than nothing: then so many requests are waiting.
    """
    left = _burst(most) if tokens is None else level_of(tokens, idle, most, window)
    left -= 1
    return left, max(0.0, -left / _rate(most, window))


def _burst(most: int) -> float:
    return max(1.0, most * _BURST)


def _rate(most: int, window: float) -> float:
    return max(most - _burst(most), 1.0) / window


class SharedBuckets:
    """An `archiver.net.rates.SharedLimits`; see there.

    Where the database does not answer, requests are made as if nobody else made any: their source
    still says when it has enough.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None

    async def reserve(self, key: str, most: int | None, window: float, longest: float) -> float:
        """Reserve one request; how many seconds to wait before it is made."""
        return await to_thread.run_sync(self._reserve, key, most, window, longest)

    async def pause(self, key: str, seconds: float) -> None:
        """Have everybody make no request for so long."""
        await to_thread.run_sync(self._pause, key, seconds)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()

    def _reserve(self, key: str, most: int | None, window: float, longest: float) -> float:
        with self._lock:
            try:
                with self._connected().transaction():
                    return self._take(key, most, window, longest)
            except psycopg.Error as error:
                _log.warning("The limit of %s is not shared now: %s", key, type(error).__name__)
                self._drop()
                return 0.0

    def _take(self, key: str, most: int | None, window: float, longest: float) -> float:
        connection = self._connected()
        connection.execute(
            "INSERT INTO fleet.limits (key) VALUES (%s) ON CONFLICT DO NOTHING", (key,)
        )
        row = connection.execute(
            "SELECT most, tokens, extract(epoch FROM clock_timestamp() - at) AS idle,"
            " extract(epoch FROM paused_until - clock_timestamp()) AS paused"
            " FROM fleet.limits WHERE key = %s FOR UPDATE",
            (key,),
        ).fetchone()
        assert row is not None  # noqa: S101 — it was just written
        paused = max(float(row.paused or 0), 0.0)
        most = most or row.most
        tokens, wait = row.tokens, 0.0
        if most is not None:
            tokens, wait = reserve_token(tokens, float(row.idle), most, window)
        if max(wait, paused) <= longest:
            connection.execute(
                "UPDATE fleet.limits SET most = %s, seconds = %s, tokens = %s,"
                " asked = asked + 1, at = clock_timestamp() WHERE key = %s",
                (most, window, tokens, key),
            )
        return max(wait, paused)

    def _pause(self, key: str, seconds: float) -> None:
        with self._lock:
            try:
                self._connected().execute(
                    "INSERT INTO fleet.limits AS l (key, refused, paused_until)"
                    " VALUES (%(key)s, 1, now() + make_interval(secs => %(seconds)s))"
                    " ON CONFLICT (key) DO UPDATE SET refused = l.refused + 1,"
                    " paused_until = greatest(l.paused_until, EXCLUDED.paused_until)",
                    {"key": key, "seconds": seconds},
                )
            except psycopg.Error as error:
                _log.warning("A pause of %s is not shared: %s", key, type(error).__name__)
                self._drop()

    def _connected(self) -> "psycopg.Connection[Any]":
        if self._connection is None:
            self._connection = connect(self._address)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
