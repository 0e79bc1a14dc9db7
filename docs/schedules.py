"""The jobs that docs/scheduling.md shows, as archiver schedule would make them."""

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import cast

from archiver.unattended.schedulers.job import Job

OF_USER = Job(
    "archiver", ("/home/you/.local/bin/archiver",), Path("/home/you/social-archive/archive.toml"),
    (Path("/home/you/social-archive"),), None, 17,
)  # fmt: skip
OF_SYSTEM = Job(
    "archiver", ("/opt/archiver/bin/archiver",), Path("/var/lib/archiver/archive.toml"),
    (Path("/var/lib/archiver"),), None, 17, user="archiver",
)  # fmt: skip
ON_MAC = Job(
    "archiver", ("/Users/you/.local/bin/archiver",),
    Path("/Users/you/social-archive/archive.toml"), (Path("/Users/you/social-archive"),), None, 17,
)  # fmt: skip
_WINDOWS_HOME = cast(Path, PureWindowsPath(r"C:\Users\you"))
ON_WINDOWS = Job(
    "archiver", (r"C:\Users\you\.local\bin\archiver.exe",),
    cast(Path, _WINDOWS_HOME / "social-archive" / "archive.toml"),
    (cast(Path, _WINDOWS_HOME / "social-archive"),), None, 17,
)  # fmt: skip
HOMES = {
    "systemd": Path("/home/you"),
    "launchd": cast(Path, PurePosixPath("/Users/you")),
    "windows": _WINDOWS_HOME,
}
