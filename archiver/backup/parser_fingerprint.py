"""A fingerprint of the code that parses an account's records."""

import hashlib
import sys
from functools import cache
from pathlib import Path

from archiver.hookspecs import Platform
from archiver.models import Account
from archiver.record_hashes import FORM
from archiver.version import version


def parser_fingerprint(platform: Platform, account: Account) -> bytes | None:
    """Eight bytes that change with every change of a platform's reader, or of this program.

    They are a hash of the source files of the packages that define its class and base classes, so
    that a change of a plugin needs no new version number; and of the account as the reader gets it,
    without its options. None where the source files cannot be read.
    """
    modules = {base.__module__.partition(".")[0] for base in type(platform).__mro__}
    packages = frozenset(modules - sys.stdlib_module_names - {"archiver"})
    sources = _sources_of(packages)
    if sources is None:
        return None
    parts = [
        sources,
        FORM,
        platform.content_version,
        account.name,
        account.source,
        account.platform_id,
    ]
    return hashlib.sha256(repr(parts).encode()).digest()[:8]


@cache
def _sources_of(packages: frozenset[str]) -> str | None:
    """The hash of this version of the program and of all source files of some packages."""
    files = {file for package in packages for file in _files_of(package)}
    try:
        sources = sorted((file.name, file.read_bytes()) for file in files)
    except OSError:
        return None
    return hashlib.sha256(repr((version(), sources)).encode()).hexdigest() if sources else None


def _files_of(package: str) -> list[Path]:
    """The source files of a package, or the file of a module."""
    module = sys.modules.get(package)
    if folders := list(getattr(module, "__path__", ())):
        return [file for folder in folders for file in Path(folder).resolve().rglob("*.py")]
    return [Path(str(getattr(module, "__file__", ""))).resolve()]
