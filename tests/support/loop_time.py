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
from dataclasses import dataclass, field
from typing import Any

LONG = 650.0
"""Seconds that are longer than any limit for one answer, and shorter than any for a whole page."""


Condition = Callable[[], bool]


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
        self._when_idle: deque[_Skip] = deque()
        self._at_once: deque[_Skip] = deque()
        super().__init__(_Selector(lambda: self._pass_time(self._when_idle)))

    def time(self) -> float:
        return self._seconds

    def skip(self, seconds: float, only_if: Condition = lambda: True) -> "Future[None]":
        """Let seconds pass as soon as all that was sent to the loop is read. Any thread may ask.

        They pass only if `only_if` is true then, which the loop's thread asks. The future is done
        after that, or when the loop was closed.
        """
        return self._ask(self._when_idle, _Skip(seconds, only_if), lambda: None)

    def skip_at_once(self, seconds: float, only_if: Condition = lambda: True) -> "Future[None]":
        """As `skip`, even though the loop is busy."""
        skip = _Skip(seconds, only_if)
        return self._ask(self._at_once, skip, lambda: self._pass_time(self._at_once))

    def close(self) -> None:
        with self._lock:
            super().close()
            for skips in (self._when_idle, self._at_once):
                while skips:
                    skips.popleft().passed.set_result(None)

    def _ask(
        self, skips: "deque[_Skip]", skip: "_Skip", call: Callable[[], object]
    ) -> "Future[None]":
        with self._lock:
            if self.is_closed():
                skip.passed.set_result(None)
            else:
                skips.append(skip)
                self.call_soon_threadsafe(call)  # a call wakes a loop that sleeps
        return skip.passed

    def _pass_time(self, skips: "deque[_Skip]") -> bool:
        with self._lock:
            if not skips:
                return False
            skip = skips.popleft()
        if skip.only_if():
            self._seconds += skip.seconds
        skip.passed.set_result(None)
        return True


@dataclass(frozen=True)
class _Skip:
    """What `OwnTimeLoop.skip` was asked for."""

    seconds: float
    only_if: Condition
    passed: "Future[None]" = field(default_factory=Future)


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
