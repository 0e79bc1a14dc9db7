"""Which yt-dlp is installed, and whether what it needs is there."""

import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from archiver import Unresolved

OLDEST = (2026, 7, 4)
"""The release that fixed the last known vulnerability (shortcut files made of metadata)."""

_INSTALL = "pip install --upgrade 'social-archiver[ytdlp]'"
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
            f"yt-dlp {found} is older than {oldest}, which closed a hole: {_INSTALL}",
        )
    if platform in _NEEDS_RUNTIME and runtime() is None:
        raise Unresolved(
            "runtime_missing",
            f"{platform} needs the JavaScript runtime {_RUNTIME}, which runs code in a sandbox: "
            "pip install deno",
        )


def runtime() -> Path | None:
    """Where the JavaScript runtime is: beside this Python, or where the system has its programs."""
    places = [str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"]
    found = shutil.which(_RUNTIME, path=":".join(places))
    return None if found is None else Path(found)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,9}", text)[:3])
