"""The database work of a run, in a thread of its own.

A commit waits for the disk. In the event loop, it would block every download and every request.
In a thread it does not, and the only writing connection still runs one function at a time: no
function ever reads what another has not committed yet.
"""

import sqlite3
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Concatenate, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread

_P = ParamSpec("_P")
_T = TypeVar("_T")


class DatabaseThread:
    """Runs functions with the connection in a thread, one at a time, in the order of the calls.

    A call that has begun is never interrupted: a caller that is cancelled waits for its end. After
    the context, no call is running. The connection must have been
    made with `check_same_thread=False`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._limiter = CapacityLimiter(1)
        self._in_use = threading.Lock()

    async def call(
        self, function: Callable[Concatenate[sqlite3.Connection, _P], _T], /, *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:  # fmt: skip
        """What `function(connection, …)` returns or raises."""

        def use() -> _T:
            with self._in_use:
                return function(self._connection, *args, **kwargs)

        return await to_thread.run_sync(use, limiter=self._limiter)

    def __enter__(self) -> "DatabaseThread":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        # an event loop that was stopped from outside does not wait for its threads
        self._in_use.acquire()
        self._in_use.release()
