"""Which yt-dlp is installed, and whether what it needs is there."""

import re
import shutil
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from archiver import Unresolved

OLDEST = (2026, 7, 4)
"""The release that fixed the last known vulnerability (shortcut files made of metadata)."""

_INSTALL = "pip install 'social-archiver[ytdlp]'"
_UPDATE = "pip install --upgrade 'yt-dlp[default]'"
_OLD_DAYS = 60
_NEEDS_RUNTIME = frozenset({"youtube"})
_RUNTIME = "deno"


def installed_version() -> str | None:
    """The version of yt-dlp; None where it is not installed."""
    try:
        return version("yt-dlp")
    except PackageNotFoundError:
        return None


def check_installed(platform: str) -> None:
    """Raise Unresolved where yt-dlp, or what it needs for a platform, is missing or too old."""
    found = installed_version()
    if found is None:
        raise Unresolved("resolver_missing", f"yt-dlp is not installed: {_INSTALL}")
    if _numbers(found) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise Unresolved(
            "resolver_outdated",
            f"yt-dlp {found} is older than {oldest}, which closed a hole: {_UPDATE}",
        )
    if platform in _NEEDS_RUNTIME and runtime() is None:
        raise Unresolved(
            "runtime_missing",
            f"{platform} needs the JavaScript runtime {_RUNTIME}, which runs code in a sandbox: "
            "pip install deno",
        )


def notice(platform: str, today: date) -> str | None:
    """What is missing for a platform, or old; None where all is well."""
    try:
        check_installed(platform)
    except Unresolved as error:
        return str(error)
    found = installed_version()
    days = _days_old(found or "", today)
    if days is None or days <= _OLD_DAYS:
        return None
    return (
        f"yt-dlp {found} is {days} days old: platforms change, and what is older stops to work. "
        f"Update it: {_UPDATE}"
    )


def runtime() -> Path | None:
    """Where the JavaScript runtime is: beside this Python, or where the system has its programs."""
    places = [str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"]
    found = shutil.which(_RUNTIME, path=":".join(places))
    return None if found is None else Path(found)


def _days_old(version: str, today: date) -> int | None:
    """How old a release is: its version is its date."""
    try:
        return (today - date(*_numbers(version))).days
    except (TypeError, ValueError):
        return None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,9}", text)[:3])
