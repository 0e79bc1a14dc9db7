"""The garbage collector of a command: most of what that makes are its modules, which stay."""

import atexit
import gc

_NEW_OBJECTS = 10_000


def collect_less() -> None:
    """Have the collector not look for garbage where there is little.

    It looked through all modules every 700 objects while they were loaded, and three times more
    when the process ended, which frees all anyway.
    """
    gc.set_threshold(_NEW_OBJECTS)
    atexit.register(gc.freeze)
