"""What the tests that break things need: strace, and a world that is served."""

import os
import shutil
import sys
from collections.abc import Iterator

import pytest

from support.torture.rig import SECOND_NIGHT, TINY, Rig, rig


@pytest.fixture(scope="session")
def strace() -> None:
    """These tests cannot do without it; where they must run, its absence is a failure."""
    if sys.platform == "linux" and shutil.which("strace"):
        return
    words = "strace is not here, so no system call can be made to fail (apt install strace)"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


@pytest.fixture(scope="module")
def tiny(strace: None) -> Iterator[Rig]:
    """A tiny world, and runs against it."""
    with rig(TINY) as made:
        yield made


@pytest.fixture(scope="module")
def second_night(strace: None) -> Iterator[Rig]:
    """A tiny world with an archive of its first night, and runs of the second."""
    with rig(SECOND_NIGHT) as made:
        yield made
