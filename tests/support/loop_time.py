"""The time of event loops, which stands still until a test lets it pass.

Every limit of the program (to connect, to read, for a whole answer …) is a timer of its event loop.
On these loops none of them expires because the machine is slow: whoever in a test plays a server
that says nothing says himself how long that lasts.

    time = LoopTime()
    anyio.run(work, backend_options={"loop_factory": time.loop})
    time.skip(650.0)  # from a thread of the server, while `work` waits for it
"""

import asyncio
import selectors
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

LONG = 650.0
"""Seconds that are longer than any limit for one answer, and shorter than any for a whole page."""


class _Selector(selectors.DefaultSelector):
    """Lets time pass where there is nothing else to do."""

    def __init__(self, pass_time: Callable[[], bool]) -> None:
        super().__init__()
        self._pass_time = pass_time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        events = super().select(0)
        if events or self._pass_time():
            return events
        return super().select(timeout)


class OwnTimeLoop(asyncio.SelectorEventLoop):
    """An event loop that goes by seconds of its own."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._lock = threading.Lock()
        self._owed: deque[tuple[float, Future[None]]] = deque()
        super().__init__(_Selector(self._pass_time))

    def time(self) -> float:
        return self._seconds

    def skip(self, seconds: float) -> "Future[None]":
        """Let seconds pass as soon as all that was sent to the loop is read. Any thread may ask.

        The future is done when they have passed, or the loop was closed.
        """
        passed: Future[None] = Future()
        with self._lock:
            if self.is_closed():
                passed.set_result(None)
            else:
                self._owed.append((seconds, passed))
                self.call_soon_threadsafe(int)  # so that it does not sleep
        return passed

    def skip_at_once(self, seconds: float) -> None:
        """Let seconds pass even though the loop is busy. Any thread may ask."""
        with self._lock:
            if not self.is_closed():
                self.call_soon_threadsafe(self._advance, seconds)

    def close(self) -> None:
        with self._lock:
            super().close()
            while self._owed:
                self._owed.popleft()[1].set_result(None)

    def _advance(self, seconds: float) -> None:
        self._seconds += seconds

    def _pass_time(self) -> bool:
        with self._lock:
            if not self._owed:
                return False
            seconds, passed = self._owed.popleft()
        self._advance(seconds)
        passed.set_result(None)
        return True


class LoopTime:
    """The loops of one test, one after the other; `current` is the newest."""

    def __init__(self) -> None:
        self.current: OwnTimeLoop | None = None

    def loop(self) -> OwnTimeLoop:
        """A new loop."""
        self.current = OwnTimeLoop()
        return self.current

    @property
    def options(self) -> dict[str, Any]:
        """What makes anyio run on such loops."""
        return {"loop_factory": self.loop}


def running_loop() -> OwnTimeLoop:
    """The loop that a test runs on."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, OwnTimeLoop)
    return loop
