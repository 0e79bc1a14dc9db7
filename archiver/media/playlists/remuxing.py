"""Has a child process put segments into an mp4 file: hostile bytes are parsed in there only."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

import anyio

INSTALL = "pip install 'social-archiver[hls]'"
"""What makes more films possible, as a command line."""

_WORKER = "archiver.media.playlists.remuxer"
_SECONDS = 3600.0
_LONGEST_ERROR = 200


class RemuxFailed(Exception):
    """The segments could not be put into an mp4 file; the message says why, for people."""


@cache
def can_remux() -> bool:
    """Whether the library for it is installed."""
    return find_spec("av") is not None


async def remux(job: Mapping[str, Any]) -> str:
    """Do a job of `archiver.media.playlists.remuxer`; what it was done with, and its version.

    Raises RemuxFailed. The child is given nothing of the environment, and ends with the task.
    """
    # -I: no module is taken from the current folder, none from the environment
    command = [sys.executable, "-I", "-m", _WORKER]
    text = json.dumps({**job, "parent": os.getpid()})
    try:
        with anyio.fail_after(_SECONDS):
            done = await anyio.run_process(
                command, input=text.encode(), check=False,
                stderr=subprocess.DEVNULL, env=_environment(),
            )  # fmt: skip
    except TimeoutError:
        raise RemuxFailed("it took more than an hour") from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise RemuxFailed(f"the process that makes it ended with {done.returncode}") from None
    if not answer.get("ok"):
        raise RemuxFailed(str(answer.get("error"))[:_LONGEST_ERROR])
    return str(answer["tool"])


def _environment() -> dict[str, str]:
    """What a child needs on this system to start at all."""
    needed = ("SYSTEMROOT",) if os.name == "nt" else ()
    return {name: os.environ[name] for name in needed if name in os.environ}
