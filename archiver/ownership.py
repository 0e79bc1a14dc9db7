"""Checking which other users may change a file."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path


def open_to_others(paths: Iterable[Path]) -> Path | None:
    """The first of these files and folders that every user of the machine may write to.

    A folder where all may write but only owners may replace, such as /tmp, is none. A group may:
    some systems give every user one of their own. Raises OSError.
    """
    return next(filter(_is_open, paths), None) if os.name == "posix" else None


def changeable_by_others(file: Path) -> Path | None:
    """The file, or the folder that it lies in, by which other users may change what it says.

    Raises OSError.
    """
    if os.name != "posix":
        return None
    real = file.resolve()
    if real.stat().st_uid not in {os.geteuid(), 0}:
        return real
    return open_to_others(dict.fromkeys((real, real.parent, file.parent)))


def _is_open(path: Path) -> bool:
    mode = path.stat().st_mode
    return bool(mode & stat.S_IWOTH) and not (stat.S_ISDIR(mode) and mode & stat.S_ISVTX)
