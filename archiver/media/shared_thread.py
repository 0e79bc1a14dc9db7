"""Short calls of many tasks in one thread: those that come while it works are made together.

To hand a call to a thread and to take its result back costs as much as to write a small file. Here
one hand-over serves all tasks that wait for it.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import anyio
from anyio import to_thread

_T = TypeVar("_T")


class SharedThread:
    """A thread for calls that wait for the disk, so that the event loop does not.

    Calls are made one after the other, in the order in which they came.
    """

    def __init__(self) -> None:
        self._waiting: list[_Call] = []
        self._is_busy = False

    async def run(self, function: Callable[[], _T]) -> _T:
        """What `function` returns or raises. Who is cancelled waits for its end."""
        result: Future[_T] = Future()

        def make() -> None:
            try:
                result.set_result(function())
            except BaseException as error:  # noqa: BLE001 — raised where it was called
                result.set_exception(error)

        call = _Call(make)
        self._waiting.append(call)
        with anyio.CancelScope(shield=True):
            while not result.done():
                if self._is_busy:
                    await call.wait()
                else:
                    await self._make_calls()
        return result.result()

    async def _make_calls(self) -> None:
        """Make all calls that wait. The first of those that came meanwhile makes the next ones."""
        calls, self._waiting = self._waiting, []
        self._is_busy = True
        try:
            await to_thread.run_sync(_make_all, calls)
        finally:
            self._is_busy = False
            for call in (*calls, *self._waiting[:1]):
                call.wake()


class _Call:
    """A call and the task that waits for it."""

    def __init__(self, make: Callable[[], None]) -> None:
        self.make = make
        self._woken = anyio.Event()

    async def wait(self) -> None:
        """Wait until it was made, or until it is this task's turn to make calls."""
        await self._woken.wait()
        self._woken = anyio.Event()

    def wake(self) -> None:
        self._woken.set()


def _make_all(calls: list[_Call]) -> None:
    for call in calls:
        call.make()
