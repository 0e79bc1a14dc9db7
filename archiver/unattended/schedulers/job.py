"""What is to be run, and what a scheduler needs to run it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Job:
    """A nightly backup. All paths are absolute; `hour` and `minute` are local time.

    `program` are the words that start archiver; `writable` the folders that a run writes to: those
    of the archive, the config (where tokens are kept) and the list of disks. `user` is the account
    of the system that a system-wide job runs as, None for a job of the current user. `on_mains`:
    only while the machine is not on battery.
    """

    name: str
    program: tuple[str, ...]
    config: Path
    writable: tuple[Path, ...]
    hour: int
    minute: int
    user: str | None = None
    on_mains: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The command line of one run."""
        return (*self.program, "-q", "--config", str(self.config), "backup")


@dataclass(frozen=True, slots=True)
class SchedulePlan:
    """What a scheduler is told of a job.

    `files` maps paths to texts. `start` are commands that are run once they are written, `stop`
    those that are run before they are removed, `show` the one that prints the state of the job.
    `logs` says where the output of runs is, `remark` what else there is to know.
    """

    files: dict[Path, str]
    start: tuple[tuple[str, ...], ...]
    stop: tuple[tuple[str, ...], ...]
    show: tuple[str, ...]
    logs: str
    remark: str = ""
    encoding: str = "utf-8"
    after_removal: tuple[tuple[str, ...], ...] = ()


class Planner(Protocol):
    """Makes the plan of one scheduler."""

    def __call__(self, job: Job, home: Path) -> SchedulePlan:
        """The plan for a job; `home` is the folder of the current user."""
