"""Work in other processes: done there, or said to be left to this one; and never left behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from archiver.evidence.processes import in_processes

ENDLESS = """
import sys
from pathlib import Path
from archiver.evidence.processes import in_processes

if __name__ == "__main__":
    for result in in_processes(Path.read_text, [Path(name) for name in sys.argv[1:]]):
        print(result, flush=True)
"""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """One that can be read, and one that whoever reads it waits for for ever."""
    (tmp_path / "file").write_text("read")
    os.mkfifo(tmp_path / "pipe")
    return [tmp_path / "file", tmp_path / "pipe"]


def test_results_come_in_the_order_of_what_was_asked() -> None:
    assert list(in_processes(abs, [-3, -1, -2])) == [3, 1, 2]


def test_nothing_to_do_starts_nothing() -> None:
    assert list(in_processes(abs, [])) == []


def test_what_fails_there_is_left_to_the_caller() -> None:
    assert list(in_processes(int, ["1", "no number", "2"])) == [1, None, 2]


def test_a_process_that_is_ended_from_outside_is_no_failure() -> None:
    assert list(in_processes(os._exit, [1, 1])) == [None, None]


def test_work_that_cannot_be_sent_is_left_to_the_caller() -> None:
    assert list(in_processes(lambda number: number, [1])) == [None]


def test_a_system_without_semaphores_leaves_all_to_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ImportError("no semaphores here")

    monkeypatch.setattr("archiver.evidence.processes.ProcessPoolExecutor", refuse)
    assert list(in_processes(abs, [-1, -2])) == [None, None]


def test_who_stops_waiting_leaves_no_process_behind(files: list[Path]) -> None:
    found = in_processes(Path.read_text, files)
    assert next(found) == "read"
    found.close()  # type: ignore[attr-defined]  # it is a generator
    assert not multiprocessing.active_children()


def test_a_program_that_is_killed_leaves_no_process_behind(files: list[Path]) -> None:
    command = [sys.executable, "-c", ENDLESS, *map(str, files)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"read\n"
        program.kill()
        assert program.stdout.read() == b"", "ends when the last one that could write is gone"


def test_ctrl_c_is_for_the_program_alone_to_answer() -> None:
    blocked = partial(signal.pthread_sigmask, signal.SIG_BLOCK)
    assert list(in_processes(blocked, [[]])) == [{signal.SIGINT}]
    assert blocked([]) == set()
