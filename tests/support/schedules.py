"""Jobs for tests of schedules, and what runs them as a scheduler does."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from archiver.unattended.schedulers.job import Job

PROGRAM = (sys.executable, "-P", "-m", "archiver")


def job_in(folder: Path, **changed: Any) -> Job:
    """A job whose config and archive are in one folder."""
    given: dict[str, Any] = {
        "name": "archiver", "program": PROGRAM, "config": folder / "archive.toml",
        "writable": (folder,), "hour": None, "minute": 17,
    }  # fmt: skip
    return Job(**given | changed)


def run_bare(words: list[str], **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command line with next to no environment, from the root folder."""
    return subprocess.run(
        words, cwd="/", env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
