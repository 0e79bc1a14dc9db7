"""Short calls of many tasks in one thread: those that come while it works are made together.

To hand a call to a thread and to take its result back costs as much as to write a small file. Here
one hand-over serves all tasks that wait for it.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

import anyio
from anyio import to_thread

_T = TypeVar("_T")


class SharedThread:
    """A thread for calls that wait for the disk, so that the event loop does not.

    Calls are made one after the other, in the order in which they came.
    """

    def __init__(self) -> None:
        self._waiting: list[_Call[Any]] = []
        self._is_busy = False

    async def run(self, function: Callable[[], _T]) -> _T:
        """What `function` returns or raises. Who is cancelled waits for its end.

        Raises RuntimeError where the system gives no thread.
        """
        call = _Call(function)
        self._waiting.append(call)
        with anyio.CancelScope(shield=True):
            while not call.result.done():
                if self._is_busy:
                    await call.wait()
                else:
                    await self._make_calls()
        return call.result.result()

    async def _make_calls(self) -> None:
        """Make all calls that wait. The first of those that came meanwhile makes the next ones."""
        calls, self._waiting = self._waiting, []
        self._is_busy = True
        try:
            await to_thread.run_sync(_make_all, calls)
        except RuntimeError as error:
            for call in calls:
                call.result.set_exception(error)
        finally:
            self._is_busy = False
            for call in (*calls, *self._waiting[:1]):
                call.wake()


class _Call(Generic[_T]):
    """A call, its result, and the task that waits for it."""

    def __init__(self, function: Callable[[], _T]) -> None:
        self.result: Future[_T] = Future()
        self._function = function
        self._woken = anyio.Event()

    def make(self) -> None:
        try:
            self.result.set_result(self._function())
        except BaseException as error:  # noqa: BLE001 — raised where it was called
            self.result.set_exception(error)

    async def wait(self) -> None:
        """Wait until it was made, or until it is this task's turn to make calls."""
        await self._woken.wait()
        self._woken = anyio.Event()

    def wake(self) -> None:
        self._woken.set()


def _make_all(calls: list[_Call[Any]]) -> None:
    for call in calls:
        call.make()
