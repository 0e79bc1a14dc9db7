"""The versions of everything that this program runs with."""

import platform
import re
import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError
from typing import Any

from archiver.version import version

_OWN = "social-archiver"
_VERSION = re.compile(r"^Version:\s*(.+?)\s*$", re.MULTILINE)
_REQUIREMENT = re.compile(r"^Requires-Dist:\s*([A-Za-z0-9._-]+)(.*)$", re.MULTILINE)


@cache
def environment() -> dict[str, Any]:
    """The versions of this program, of Python and SQLite, the system, and of installed packages.

    Packages are those that this program needs, by way of others too, and those of its extras that
    are installed.
    """
    return {
        "archiver": version(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}",
        "packages": dict(sorted(_packages())),
    }


def _packages() -> Iterator[tuple[str, str]]:
    """The name and version of each installed package that is needed.

    Both are read from the text of its metadata: the parser of importlib.metadata takes longer than
    all the rest.
    """
    seen, waiting = {_OWN}, [_OWN]
    while waiting:
        name = waiting.pop()
        try:
            text = Distribution.from_name(name).read_text("METADATA") or ""
        except PackageNotFoundError:  # an extra that is not installed, or for another system
            continue
        head = text.partition("\n\n")[0]
        if name != _OWN and (found := _VERSION.search(head)):
            yield name, found[1]
        for needed in _requirements(head, with_extras=name == _OWN):
            if needed not in seen:
                seen.add(needed)
                waiting.append(needed)


def _requirements(metadata: str, *, with_extras: bool) -> Iterator[str]:
    """The normalised names of what a distribution requires."""
    for name, rest in _REQUIREMENT.findall(metadata):
        if with_extras or "extra ==" not in rest:
            yield re.sub(r"[-_.]+", "-", name).lower()
