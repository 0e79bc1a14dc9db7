"""Which process holds an archive: it writes itself into the lock file.

Only for people: the program never depends on what the file says, and any content is tolerated.
"""

import os
import re
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

_LONG = timedelta(days=1)
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_MOST = 200
_LINE = re.compile(
    r"([1-9]\d{0,9}) ([!-~]{1,64}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([ -~]{1,80})\n", re.ASCII
)
_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)  # not on Windows


class LockOwner(NamedTuple):
    """A process, and since when it holds the archive."""

    process: int
    host: str
    since: datetime
    command: str

    def __str__(self) -> str:
        since = f"{self.since:%Y-%m-%d %H:%M} UTC"
        return f"{self.command}, process {self.process} on {self.host}, since {since}"

    def is_overdue(self, now: datetime) -> bool:
        """Whether it has run for longer than any run should."""
        return now - self.since > _LONG


def write_lock_owner(descriptor: int) -> None:
    """Write this process into the lock file; if the disk is full, run without."""
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    host = re.sub(r"[^!-~]", "?", name)[:64] or "?"
    command = re.sub(r"[^ -~]", "?", " ".join(["archiver", *sys.argv[1:]]))[:80]
    line = f"{os.getpid()} {host} {datetime.now(UTC):{_TIME}} {command}\n"
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, line.encode("ascii"))


def lock_owner(lock: Path) -> LockOwner | None:
    """The owner that a lock file names; None where its content is not in our format."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | _NOFOLLOW)
        try:
            text = os.read(descriptor, _MOST).decode("ascii", "replace")
        finally:
            os.close(descriptor)
        match = _LINE.fullmatch(text)
        if match is None:
            return None
        since = datetime.strptime(match[3], _TIME).replace(tzinfo=UTC)
    except (OSError, ValueError):
        return None
    return LockOwner(int(match[1]), match[2], since, match[4])
