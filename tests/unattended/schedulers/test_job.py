"""The command line of a job, run as schedulers run it: without a home and a path."""

import plistlib
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from archiver.unattended.schedulers import cron, launchd, systemd, windows_tasks
from archiver.unattended.schedulers.job import Job
from support.nights import Nights, nights
from support.schedules import job_in, run_bare

pytestmark = pytest.mark.slow

HOME = Path("/home/you")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Nights]:
    folder = tmp_path / "my 100 % 'archive' of $HOME"
    folder.mkdir()
    with nights(folder, "bluesky") as world:
        world.account("bluesky").populate(2)
        world.clock.advance(seconds=(datetime.now(UTC) - world.clock.now()).total_seconds())
        world.config()  # writes the file
        yield world


def by_systemd(job: Job) -> list[str]:
    """The words as systemd.service(5) says that they are read."""
    service = next(iter(systemd.plan(job, HOME).files.values()))
    (line,) = re.findall(r"^ExecStart=(.*)$", service, re.MULTILINE)
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]


def by_launchd(job: Job) -> list[str]:
    (text,) = launchd.plan(job, HOME).files.values()
    words: list[str] = plistlib.loads(text.encode())["ProgramArguments"]
    return words


def by_cron(job: Job) -> list[str]:
    """What cron hands to the shell: all after the five fields, with `\\%` for `%`."""
    line = cron.lines(job).splitlines()[1]
    return ["/bin/sh", "-c", line.split(" ", 5)[5].replace("\\%", "%")]


def by_windows(job: Job) -> list[str]:
    (text,) = windows_tasks.plan(job, HOME).files.values()
    found = {node.tag.partition("}")[2]: node.text for node in ElementTree.fromstring(text).iter()}
    words = re.findall(r'"([^"]*)"|(\S+)', found["Arguments"] or "")
    return [found["Command"] or "", *(quoted or bare for quoted, bare in words)]


@pytest.mark.parametrize("read", [by_systemd, by_launchd, by_windows])
def test_every_scheduler_runs_the_same_command(read: object, tmp_path: Path) -> None:
    job = job_in(tmp_path / "my 100 % 'archive' of $HOME")
    assert callable(read)
    assert read(job) == list(job.words)


@pytest.mark.slow
@pytest.mark.parametrize("read", [by_systemd, by_launchd, by_cron, by_windows])
def test_it_runs_without_a_home_and_with_hardly_a_path(read: object, world: Nights) -> None:
    job = job_in(world.folder)
    assert callable(read)
    done = run_bare(read(job))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert world.column("SELECT outcome FROM runs") == ["done"]
    assert world.column("SELECT count(*) FROM posts") == [2]
