"""Limits of the system on this process: memory, processor time, the size of files, core dumps."""


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
