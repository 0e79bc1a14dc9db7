"""The same work on several things, each in another process: for what holds the interpreter."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_Thing = TypeVar("_Thing")
_Result = TypeVar("_Result")


def in_processes(
    work: Callable[[_Thing], _Result], todo: Sequence[_Thing]
) -> Iterator[_Result | None]:
    """What `work` gives for each thing, in their order, from as many processes as there are cores.

    None is for what could not be computed in a process: a system may let us start no
    process, or end one that needs memory. `work` and the things go there by pickle.
    """
    if not todo:
        return
    try:
        pool = ProcessPoolExecutor(
            min(os.cpu_count() or 1, len(todo)),
            # a fork would have the locks of threads that it does not have
            multiprocessing.get_context("spawn"),
            initializer=_end_with_parent,
        )
        with _deaf_to_interrupts():
            futures = [pool.submit(work, thing) for thing in todo]
    except (ImportError, OSError):  # no semaphores here
        yield from (None for _ in todo)
        return
    try:
        for future in futures:
            error = future.exception()
            yield future.result() if error is None else None
    except BaseException:
        for process in multiprocessing.active_children():  # nobody waits for their results
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started meanwhile never hear of Ctrl-C, which a terminal sends to them as well.

    This one hears of it afterwards, and ends them without a word of theirs.
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
    """Leave no process behind where the program is killed: nothing else would tell it."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 — this is a child

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
