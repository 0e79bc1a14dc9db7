"""A run that is killed while a process of its own puts a film together: nothing of it is left."""

import os
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver_ayrshare.demo.specs import video
from support.nights import Nights, nights

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

WITHIN = 240
"""Seconds after which the process would hang for good."""

NOW = "2026-11-28T00:00:00.000Z"
_PROGRAM = """
import os
from archiver.cli import main
from archiver.media.playlists import making

remux = making.remux

async def held(job):
    os.mkfifo(job["target"])
    return await remux(job)

making.remux = held
main()
"""
"""A backup whose child waits for ever: it opens a pipe that nobody reads."""


def parents_of_processes() -> dict[int, int]:
    """Every process that runs, with its parent."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            if state != "Z":
                found[int(stat.parent.name)] = int(parent)
    return found


def remuxer_of(process: "subprocess.Popen[bytes]") -> int:
    """The child that has its job and the library for it, as soon as there is one."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            pytest.fail("the run ended without making a film")
        for pid, parent in parents_of_processes().items():
            if parent == process.pid:
                with suppress(OSError):
                    if "libavformat" in Path(f"/proc/{pid}/maps").read_text():
                        return pid


def segment_requests(world: Nights) -> int:
    return sum(request.path.endswith("/video.mp4") for request in world.media_requests)


@pytest.mark.slow
def test_the_process_that_makes_a_film_ends_with_the_run_and_the_next_one_fetches_nothing_twice(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "bluesky") as world:
        world.account("bluesky").publish("A film", media=[video()])
        world.url_life *= 10_000  # its clock stands still, the program's does not
        world.config()
        with subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, "backup"], cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            child = os.pidfd_open(remuxer_of(process))
            process.kill()
        ended, _, _ = select.select([child], [], [], WITHIN)
        os.close(child)
        assert ended
        asked = segment_requests(world)
        assert asked == 5

        assert world.backup().exit_code == 0

        assert segment_requests(world) == asked
        assert world.column("SELECT how FROM media_origins") == ["remuxed"]
        assert list((world.directory / "tmp").iterdir()) == []
        assert verify(world.directory, Scope(), NOW).findings == []
