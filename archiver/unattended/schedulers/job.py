"""What is to be run, and what a scheduler needs to run it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Job:
    """Backups at given times. All paths are absolute; `hour` and `minute` are local time.

    Without an `hour`, what is due is backed up at that minute of every hour; else all accounts are,
    every night. `minutes` limits how long a run fetches files.

    `program` are the words that start archiver; `writable` the folders that a run writes to: those
    of the archive, the config (where tokens are kept) and the list of disks. `user` is the account
    of the system that a system-wide job runs as, None for a job of the current user. `on_mains`:
    only while the machine is not on battery.
    """

    name: str
    program: tuple[str, ...]
    config: Path
    writable: tuple[Path, ...]
    hour: int | None
    minute: int
    user: str | None = None
    on_mains: bool = False
    minutes: int | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The command line of one run."""
        due = ("--due",) if self.hour is None else ()
        budget = () if self.minutes is None else ("--minutes", str(self.minutes))
        return (*self.program, "-q", "--config", str(self.config), "backup", *due, *budget)

    @property
    def rhythm(self) -> str:
        """When it runs, in words."""
        if self.hour is None:
            return f"every hour, at minute {self.minute}, for what is due then"
        return f"every night at {self.hour:02}:{self.minute:02}"


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
