"""Remembers which disk an archive is on, so that a run notices when that disk is not mounted.

Without it, a run would begin a new archive in the empty mount point. The mount point is saved
outside the archive, in the user's state folder, with one line for each archive. If that file is
lost or unreadable, only this check is skipped.
"""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from click import get_app_dir

from archiver.archive.database import DATABASE
from archiver.errors import StorageError

_FILE_NAME = "disks"


def state_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The file with the mount points.

    `~/.local/state/archiver/disks` (or below `XDG_STATE_HOME`); on macOS and Windows beside the
    user's own config.
    """
    if sys.platform in {"darwin", "win32"}:
        return Path(get_app_dir("archiver")) / _FILE_NAME
    base = Path(environ.get("XDG_STATE_HOME", ""))
    if not base.is_absolute():  # the specification has relative ones ignored
        base = Path.home() / ".local" / "state"
    return base / "archiver" / _FILE_NAME


def mount_point(directory: Path) -> Path:
    """The mount point of the disk that a folder is on, or would be on."""
    place = directory.resolve()
    return next(path for path in (place, *place.parents) if os.path.ismount(path))


def require_disk(directory: Path) -> None:
    """Raises StorageError where there is no archive and its disk is not mounted."""
    expected = _read().get(str(directory.absolute()))
    if expected is None or os.path.lexists(directory / DATABASE):
        return
    with suppress(OSError, StopIteration, RuntimeError):  # the last is for loops of links
        if str(mount_point(directory)) == expected:
            return
    raise StorageError(
        f"The disk of the archive in {directory} is not mounted",
        why=f"The archive was on the disk at {expected}, which is not mounted here now",
        kept="Nothing was written",
        hint=f"Mount it and run again. For a new archive here, remove its line from {state_file()}",
        code="not_mounted",
    )


def remember_disk(directory: Path) -> None:
    """Save where the disk of an archive is mounted; nothing is saved for the system's root disk."""
    if not os.path.lexists(directory / DATABASE):
        return  # a dry run, or one that failed before it began an archive
    name = str(directory.absolute())
    known = _read()
    with suppress(OSError, StopIteration, RuntimeError):
        found = mount_point(directory)
        wanted = {**known, name: str(found)}
        if str(found) == found.anchor:
            del wanted[name]
        if wanted != known:
            _write(wanted)


def _read() -> dict[str, str]:
    try:
        lines = state_file().read_text("utf-8").splitlines()
    except (OSError, ValueError, RuntimeError):
        return {}
    found = {}
    for line in lines:
        with suppress(ValueError, TypeError, KeyError, RecursionError):
            entry = json.loads(line)
            found[str(entry["archive"])] = str(entry["disk"])
    return found


def _write(disks: Mapping[str, str]) -> None:
    """Raises OSError."""
    path = state_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = [json.dumps({"archive": name, "disk": disk}) + "\n" for name, disk in disks.items()]
    fresh = path.with_name(f"{path.name}-{secrets.token_hex(8)}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 — of a descriptor
            file.writelines(lines)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
