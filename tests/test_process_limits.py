"""Limits of a process: never above the hard limit, and for good where that is asked for."""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="this system has no limits of processes")


def limits_after(*calls: str) -> tuple[int, int]:
    """The soft and the hard limit of processor time in a process that has made these calls."""
    program = [
        "import json, resource",
        "from archiver.process_limits import lower_limit",
        *calls,
        "print(json.dumps(resource.getrlimit(resource.RLIMIT_CPU)))",
    ]
    done = subprocess.run(
        [sys.executable, "-I", "-c", "\n".join(program)], capture_output=True, check=True
    )
    soft, hard = json.loads(done.stdout)
    return soft, hard


def test_a_limit_can_be_raised_again_up_to_the_hard_one() -> None:
    _, hard = limits_after()
    assert limits_after("lower_limit('RLIMIT_CPU', 100)") == (100, hard)


def test_a_limit_for_good_is_the_hard_one_too() -> None:
    assert limits_after("lower_limit('RLIMIT_CPU', 100, for_good=True)") == (100, 100)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_process_whose_parent_has_ended_ends_at_once() -> None:
    program = "import sys; from archiver.process_limits import end_with; end_with(int(sys.argv[1]))"
    for parent, said in ((os.getpid(), b"on\n"), (-1, b"")):
        done = subprocess.run(
            [sys.executable, "-I", "-c", f"{program}; print('on')", str(parent)],
            capture_output=True, check=False,
        )  # fmt: skip
        assert (done.stdout, done.stderr) == (said, b"")


def test_a_lower_hard_limit_stays() -> None:
    first = "lower_limit('RLIMIT_CPU', 100, for_good=True)"
    assert limits_after(first, "lower_limit('RLIMIT_CPU', 200)") == (100, 100)
