"""The garbage collector of a command: most of what that makes are its modules, which stay."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_NEW_OBJECTS = 10_000


def collect_less() -> None:
    """Have the collector not look for garbage where there is little.

    It looked through all modules every 700 objects while they were loaded, and three times more
    when the process ended, which frees all anyway.
    """
    gc.set_threshold(_NEW_OBJECTS)
    atexit.register(gc.freeze)


@contextmanager
def modules_loaded() -> Iterator[None]:
    """A block that loads most of the program: nothing is looked for in it, nor in its modules.

    What is there at the end of the first such block of a process is never looked through again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        _pass_over_what_is_there()
        if was_on:
            gc.enable()


@cache  # once: what is there later may be garbage
def _pass_over_what_is_there() -> None:
    gc.freeze()
