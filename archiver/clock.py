"""Clocks, passed to whatever needs the time, so that tests can simulate many days."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

import anyio
import anyio.lowlevel


class Clock(Protocol):
    """The interface of clocks."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back, for deadlines and rates."""

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        await anyio.sleep(seconds)


START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning: where the time of a DemoClock begins, so that every run by it is alike."""


class DemoClock:
    """A Clock that can be moved forward, for demos and tests.

    `running` lets time flow between the jumps, and `sleep` really waits: for `archiver demo`.
    Otherwise time stands still until someone moves it, and `sleep` moves it by as much as it was
    asked to wait: for tests.
    """

    def __init__(self, start: datetime = START, *, running: bool = False) -> None:
        self._start = start
        self._running = running
        self._begun = time.monotonic()
        self._slept = 0.0
        self._moved = timedelta()

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return self._start + self._moved + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Seconds that passed or were slept; jumps of the calendar do not count."""
        return self._slept + (time.monotonic() - self._begun if self._running else 0.0)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds, or move on by as many."""
        if self._running:
            await anyio.sleep(seconds)
        else:
            self._slept += max(seconds, 0.0)
            await anyio.lowlevel.checkpoint()

    def advance(self, **units: float) -> None:
        """Jump forward by so many `days=`, `hours=`, `minutes=` or `seconds=`."""
        self._moved += timedelta(**units)
