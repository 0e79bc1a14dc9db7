"""A run that is asked to stop stops, says so, and is gone on with; asked twice, it is gone."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archiver.archive.database import LOCK
from support.nights import Nights, nights

pytestmark = pytest.mark.skipif(os.name != "posix", reason="stopped by signals of POSIX")

WITHIN = 240
"""Seconds after which a run hangs; on no machine does one need so many to stop."""


class Gate:
    """Holds back the media server at the first file, so that a run is in its midst for sure."""

    def __init__(self, world: Nights) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        world.media_fault(self._hold, times=None)

    def _hold(self, _request: object) -> bool:
        self.reached.set()
        self.opened.wait(WITHIN)
        return False


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Nights]:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(6)
        world.url_life *= 10_000  # its clock stands still, the program's does not
        world.config()
        yield world


@contextmanager
def running(world: Nights) -> Iterator["subprocess.Popen[str]"]:
    """A backup as a program, in a process group of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "archiver", "backup"], cwd=world.folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(world: Nights) -> None:
    """The next run has all that there is."""
    world.faults.clear()
    report = world.backup()
    assert report.exit_code == 0
    assert world.column("SELECT DISTINCT state FROM renditions") == ["stored"]
    assert world.column("SELECT count(*) FROM posts") == [6]
    assert list(world.directory.glob("tmp/*")) == []


STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.mark.parametrize("number", STOPS, ids=lambda s: s.name)
def test_asked_once_it_stops_cleanly(world: Nights, number: signal.Signals) -> None:
    gate = Gate(world)
    with running(world) as process:
        assert gate.reached.wait(WITHIN)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=WITHIN)
    gate.opened.set()

    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert "what was downloaded is saved" in stderr
    assert world.query("SELECT outcome, exit_code FROM runs") == [("interrupted", 130)]
    finish(world)


@pytest.mark.parametrize("number", STOPS, ids=lambda s: s.name)
def test_asked_twice_it_is_gone(
    world: Nights, number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request is caught up in a disk that does not answer; the second is not."""
    pipe = tmp_path / "never answers"
    os.mkfifo(pipe)
    hang = f"""
import archiver.media.folder_store as store
store.FolderStore.put = lambda *_: open({str(pipe)!r}, "w").close() or open({str(pipe)!r})
"""
    (tmp_path / "sitecustomize.py").write_text(hang)
    paths = filter(None, (str(tmp_path), os.environ.get("PYTHONPATH")))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    with running(world) as process:
        with pipe.open():  # returns when the run is stuck in the store
            pass
        process.send_signal(number)
        assert process.stderr is not None
        assert "Stopping" in process.stderr.readline()
        process.send_signal(number)
        process.wait(timeout=WITHIN)

    assert process.returncode in {130, -number}
    monkeypatch.undo()
    finish(world)


def test_under_nohup_it_goes_on_when_the_terminal_is_closed(world: Nights) -> None:
    gate = Gate(world)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with running(world) as process:
            assert gate.reached.wait(WITHIN)
            process.send_signal(signal.SIGHUP)
            gate.opened.set()
            process.communicate(timeout=WITHIN)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert process.returncode == 0
    finish(world)


def test_a_killed_group_leaves_no_lock(world: Nights) -> None:
    gate = Gate(world)
    with running(world) as process:
        assert gate.reached.wait(WITHIN)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=WITHIN)
    gate.opened.set()

    assert (world.directory / LOCK).exists(), "the file stays; the lock is the system's"
    finish(world)


def test_of_two_runs_at_once_the_second_ends_with_6(world: Nights) -> None:
    gate = Gate(world)
    with running(world) as first:
        assert gate.reached.wait(WITHIN)
        with running(world) as second:
            _, stderr = second.communicate(timeout=WITHIN)
        gate.opened.set()
        first.communicate(timeout=WITHIN)

    assert (first.returncode, second.returncode) == (0, 6)
    assert "in use by archiver backup, process" in " ".join(stderr.split())
    assert world.query("SELECT outcome FROM runs") == [("done",)]
