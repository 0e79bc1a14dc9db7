"""Runs commands side by side, round after round, and compares the medians of what they took."""

import os
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Literal

from benchmarks.environment import HOME

ERRORS = HOME / "errors"

Command = Callable[[int], Sequence[str | Path]]
"""From the number of the round to the command to run in it; what it prepares is not measured."""

Resource = Literal["wall", "cpu", "memory"]


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds, and MiB of resident memory at the most."""

    wall: float
    cpu: float
    memory: float

    def of(self, what: Resource) -> float:
        """How much of one resource."""
        return {"wall": self.wall, "cpu": self.cpu, "memory": self.memory}[what]


@dataclass
class Rounds:
    """All runs of one row, by the name of what ran."""

    costs: dict[str, list[Cost]] = field(default_factory=dict)

    def median(self, name: str, what: Resource = "wall") -> float:
        """The median of all rounds."""
        return statistics.median(cost.of(what) for cost in self.costs[name])

    def ratio(self, name: str, peer: str, what: Resource = "wall") -> float:
        """The median of the rounds' own ratios: what disturbed a round disturbed both."""
        pairs = zip(self.costs[name], self.costs[peer], strict=True)
        return statistics.median(a.of(what) / b.of(what) for a, b in pairs)


def interleaved(commands: Mapping[str, Command], rounds: int = 5) -> Rounds:
    """A B C, C B A, A B C …: slow minutes of the machine meet all of them."""
    found = Rounds({name: [] for name in commands})
    names = list(commands)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            command = commands[name](number)
            os.sync()  # what others wrote is not written back at this one's cost
            found.costs[name].append(measure(command))
    return found


def measure(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> Cost:
    """Run a command, which must succeed.

    A process that says `peak KIB` or `took WALL CPU` on its last lines is believed: the kernel's
    own figure of memory starts with what the parent had, and making data is not what is measured.
    """
    begin = perf_counter()
    with subprocess.Popen(
        [*map(str, command)],
        stdout=subprocess.PIPE,
        stderr=ERRORS.open("wb"),
        env={**os.environ, "XDG_STATE_HOME": os.devnull, **(env or {})},  # it stays as it is
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} … failed: {ERRORS.read_text('utf-8', 'replace')[-2000:]}")
    told = {line.split()[0]: line.split()[1:] for line in said.decode().splitlines()[-2:] if line}
    cpu = usage.ru_utime + usage.ru_stime
    wall, cpu = map(float, told.get("took", (wall, cpu)))
    return Cost(wall, cpu, int(told.get("peak", (usage.ru_maxrss,))[0]) / 1024)
