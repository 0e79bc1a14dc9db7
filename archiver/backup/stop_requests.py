"""How a run is stopped: the first request ends it cleanly, the second ends the process.

A plugin that blocks the event loop cannot be stopped cleanly. The second request ends the process
all the same, by the system's default handler; what was saved before stays.
"""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from archiver.stop_signals import stop_signals

_SAME_REQUEST = 0.5  # seconds


async def wait_for_stop(note: Callable[[str], None]) -> None:
    """Return at the first request to stop, after a note about it; never without one.

    Signals reach only the main thread: in another one, this never returns. After the first, any
    further request ends the process at once: Python's own handlers would wait for threads, which
    wait for the disk.
    """
    if threading.current_thread() is not threading.main_thread():
        await asyncio.Event().wait()
    with _stop_requests() as requested:
        await requested.wait()
    for number in stop_signals():
        signal.signal(number, signal.SIG_DFL)
    with suppress(OSError):  # a terminal that was closed
        note("Stopping; what was downloaded is saved. Press Ctrl-C again to stop at once.")


def restore_interrupts() -> None:
    """After a run was stopped cleanly, Ctrl-C is an ordinary KeyboardInterrupt again."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _stop_requests() -> Iterator[asyncio.Event]:
    """An event that is set by the first request to stop; the second ends the process.

    The loop's own handlers would run in the loop, which a plugin may block. A signal that follows
    at once is the same request: `timeout` and others signal a process and then its whole group.
    """
    requested, loop, first = asyncio.Event(), asyncio.get_running_loop(), 0.0

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal first
        if not first:
            first = time.monotonic()
            loop.call_soon_threadsafe(requested.set)
        elif time.monotonic() - first > _SAME_REQUEST:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    before = {number: signal.signal(number, handle) for number in stop_signals()}
    try:
        with _woken_by_signals(loop):
            yield requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


@contextmanager
def _woken_by_signals(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Each signal wakes the loop: Python runs handlers in the main thread only.

    A signal that comes just before that thread waits for events, or that another thread takes,
    would else be noticed at the next event, which may be a minute away.
    """
    if os.name != "posix":  # the loop of Windows does so itself
        yield
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        loop.add_reader(reader, reader.recv, 4096)
        try:
            yield
        finally:
            loop.remove_reader(reader)
            signal.set_wakeup_fd(before)
