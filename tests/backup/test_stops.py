"""A run that is asked to stop keeps every file that it has downloaded."""

import os
import signal
import threading
from pathlib import Path

import pytest

from support.nights import Nights, nights

pytestmark = pytest.mark.skipif(os.name != "posix", reason="stopped by signals of POSIX")

DOWNLOADED = 5


def interrupt_after(world: Nights, count: int) -> threading.Event:
    """Ask the run to stop, and serve no more, as soon as so many files were served whole.

    The event lets the server go on.
    """
    asked: list[object] = []
    released = threading.Event()

    def hold(request: object) -> bool:
        asked.append(request)
        if len(asked) == count + 1:  # files are asked for one after the other
            os.kill(os.getpid(), signal.SIGINT)
            released.wait(60)
        return False

    world.media_fault(hold, times=None)
    return released


def test_files_that_wait_to_be_saved_together_are_saved(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(20)
        world.settings["media"] = "connections = 1\nper_host = 1"
        released = interrupt_after(world, DOWNLOADED)
        try:
            stopped = world.backup()
        finally:
            released.set()

        assert stopped.exit_code == 130
        assert stopped.counts.stored == DOWNLOADED
        assert world.column("SELECT count(*) FROM media") == [DOWNLOADED]
        assert list(world.directory.glob("tmp/*")) == []

        world.faults.clear()
        world.clear_logs()
        world.backup()
        stored = world.column("SELECT count(*) FROM renditions WHERE state = 'stored'")
        assert len(world.media_requests) == stored[0] - DOWNLOADED, "none is downloaded twice"
