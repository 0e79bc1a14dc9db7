"""Parallel processes for work on many items that holds the interpreter lock."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_processes(
    work: Callable[[_Item], _Result], items: Sequence[_Item]
) -> Iterator[_Result | None]:
    """The results of `work` for each item, in order, from as many processes as there are cores.

    None stands for an item that no process could compute: the system may not let us start one, or
    may end one to get its memory. `work` and the items must be picklable.
    """
    if not items:
        return
    try:
        pool = ProcessPoolExecutor(
            min(os.cpu_count() or 1, len(items)),
            # a fork copies locks that threads of this process hold, and not the threads
            multiprocessing.get_context("spawn"),
            initializer=_end_with_parent,
        )
        with _interrupts_blocked():
            futures = [pool.submit(work, thing) for thing in items]
    except (ImportError, OSError):  # no semaphores here
        yield from (None for _ in items)
        return
    try:
        for future in futures:
            error = future.exception()
            yield future.result() if error is None else None
    except BaseException:
        for process in multiprocessing.active_children():  # their results are not needed any more
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Processes started in the block ignore Ctrl-C, which a terminal sends to the whole group.

    This process gets it after the block, and ends them; they print no tracebacks.
    """
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """End this process when its parent is killed; nothing else would end it."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 — this is a child

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
