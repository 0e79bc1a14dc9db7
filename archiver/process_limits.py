"""Limits of the system on this process: memory, processor time, files, core dumps, its life."""

import os
import signal
import sys
from contextlib import suppress

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def lower_limit(name: str, most: int, *, for_good: bool = False) -> None:
    """Lower a limit, such as `RLIMIT_CPU` of getrlimit(2), where the system has limits at all.

    A hard limit below `most` stays what it is. `for_good`: the process cannot raise it again.
    Raises ValueError, OSError.
    """
    try:
        import resource  # noqa: PLC0415 — not on every system
    except ImportError:
        return
    what = getattr(resource, name)
    _, hard = resource.getrlimit(what)
    limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (limit, limit if for_good else hard))


def end_with(parent: int) -> None:
    """End this process when the one that started it ends, in whatever way; on Linux only.

    `parent` is the id of that process. Where it has ended already, SystemExit is raised.
    """
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 — a thumbnailer, which is to start quickly, does without it

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(1)
