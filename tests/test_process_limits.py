"""Limits of a process: never above the hard limit, and for good where that is asked for."""

import json
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


def test_a_lower_hard_limit_stays() -> None:
    first = "lower_limit('RLIMIT_CPU', 100, for_good=True)"
    assert limits_after(first, "lower_limit('RLIMIT_CPU', 200)") == (100, 100)
