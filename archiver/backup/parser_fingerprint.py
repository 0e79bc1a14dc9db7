"""Which code reads an account's records: as long as it is the same, equal records read the same."""

import hashlib
import sys
from functools import cache
from pathlib import Path

from archiver.hookspecs import Platform
from archiver.models import Account
from archiver.version import version


def parser_fingerprint(platform: Platform, account: Account) -> bytes | None:
    """Eight bytes that change with every change of a platform's reader, or of this program.

    They come from the sources of the packages that its class and the bases of it stand in, so that
    whoever works on a plugin need not give it a number first; and from what the reader is told of
    the account, but its options. None where there are no sources to be read: then nobody knows.
    """
    modules = {base.__module__.partition(".")[0] for base in type(platform).__mro__}
    packages = frozenset(modules - sys.stdlib_module_names - {"archiver"})
    sources = _sources_of(packages)
    if sources is None:
        return None
    said = [sources, platform.content_version, account.name, account.source, account.platform_id]
    return hashlib.sha256(repr(said).encode()).digest()[:8]


@cache
def _sources_of(packages: frozenset[str]) -> str | None:
    """The hash of this version of the program and of all sources of some packages."""
    files = {file.resolve() for package in packages for file in _files_of(package)}
    try:
        sources = sorted((file.name, file.read_bytes()) for file in files)
    except OSError:
        return None
    return hashlib.sha256(repr((version(), sources)).encode()).hexdigest() if sources else None


def _files_of(package: str) -> list[Path]:
    """The sources of a package, or the one of a module."""
    module = sys.modules.get(package)
    if folders := list(getattr(module, "__path__", ())):
        return [file for folder in folders for file in Path(folder).rglob("*.py")]
    return [Path(str(getattr(module, "__file__", "")))]
