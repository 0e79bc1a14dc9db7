"""Ends a plugin's call that keeps the whole run waiting: a sleep, a loop, a question unanswered.

A run is one thread but for hashing and the disk: a plugin that blocks it stops all accounts, and
the clock of every time limit. A second thread looks on, and interrupts the first; only in the code
of plugins, never in ours, which may be waiting for a slow disk.
"""

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, TypeVar

from archiver.stop_signals import stop_signals

_STEP = 5.0  # seconds
_STEPS = 60  # a machine that sleeps meanwhile counts as one
_SAME_REQUEST = 0.5  # seconds
_entrances: set[CodeType] = set()
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Blocked(BaseException):
    """A plugin kept the whole run waiting. It passes by a plugin that catches every Exception."""


def plugin_call(function: _Function) -> _Function:
    """Mark a function that calls a plugin, and stands it that Blocked comes out of that."""
    _entrances.add(function.__code__)
    return function


@contextmanager
def watched() -> Iterator[None]:
    """While it lasts, a plugin that blocks the event loop for five minutes is interrupted.

    Nothing is watched on Windows, nor where the loop runs in another thread than the first.
    """
    first = threading.main_thread()
    if not hasattr(signal, "pthread_kill") or threading.current_thread() is not first:
        yield
        return
    before = signal.signal(signal.SIGUSR1, _interrupt)
    watchdog = _Watchdog(asyncio.get_running_loop(), first.ident or 0)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.over.set()
        watchdog.join()  # else its signal may come when nothing of ours takes it any more
        signal.signal(signal.SIGUSR1, before or signal.SIG_DFL)


@contextmanager
def stop_requests() -> Iterator[asyncio.Event]:
    """An event that is set by the first request to end; the second ends the process.

    The loop's own handlers would run in the loop, which a plugin may block. What follows at once
    is the same request: `timeout` and others ask a process and then its whole group.
    """
    asked, loop, first = asyncio.Event(), asyncio.get_running_loop(), 0.0

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal first
        if not first:
            first = time.monotonic()
            loop.call_soon_threadsafe(asked.set)
        elif time.monotonic() - first > _SAME_REQUEST:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    before = {number: signal.signal(number, handle) for number in stop_signals()}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


class _Watchdog(threading.Thread):
    """Looks whether the loop still turns, and where not, whether it is in one call of a plugin."""

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        super().__init__(name="watchdog", daemon=True)
        self.over = threading.Event()
        self._loop = loop
        self._thread = thread
        self._turned = True

    def run(self) -> None:
        """Look on until it is over."""
        steps, last = 0, None
        while not self.over.wait(_STEP):
            call = None
            if self._turned:
                self._turned = False
                self._loop.call_soon_threadsafe(self._turn)
            else:
                call = _plugin_call(sys._current_frames().get(self._thread))
            steps = steps + 1 if call is not None and call is last else 0
            last = call
            if steps >= _STEPS:
                signal.pthread_kill(self._thread, signal.SIGUSR1)

    def _turn(self) -> None:
        self._turned = True


def _plugin_call(frame: FrameType | None) -> FrameType | None:
    """The entrance by which a plugin was called, where it is the plugin that is at work now."""
    while frame is not None:
        if frame.f_code in _entrances:
            return frame
        module = str(frame.f_globals.get("__name__"))
        is_question = module.startswith("archiver.backup.") and frame.f_code.co_name == "<lambda>"
        if module.startswith("archiver.") and not is_question:
            return None
        frame = frame.f_back
    return None


def _interrupt(_number: int, frame: FrameType | None) -> None:
    if _plugin_call(frame) is not None:
        raise Blocked("it kept the whole run waiting")
