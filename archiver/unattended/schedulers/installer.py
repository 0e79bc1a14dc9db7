"""Installing, showing and removing a job in the scheduler of this system."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archiver.disks import describe_error
from archiver.errors import UsageError
from archiver.unattended.schedulers import cron, launchd, systemd, windows_tasks
from archiver.unattended.schedulers.job import Job, Planner, SchedulePlan

PLANNERS: Mapping[str, Planner] = {
    "systemd": systemd.plan,
    "launchd": launchd.plan,
    "windows": windows_tasks.plan,
    "cron": cron.plan,
}
_SECONDS = 60
_RUNNING_SYSTEMD = Path("/run/systemd/system")  # sd_booted(3)


def scheduler_here(platform: str = sys.platform, systemd_at: Path = _RUNNING_SYSTEMD) -> str:
    """The scheduler of this system."""
    if platform in {"darwin", "win32"}:
        return {"darwin": "launchd", "win32": "windows"}[platform]
    return "systemd" if systemd_at.is_dir() and shutil.which("systemctl") else "cron"


@dataclass(frozen=True, slots=True)
class Installer:
    """Puts one job into one scheduler, and takes it out. All methods raise UsageError."""

    scheduler: str
    job: Job
    home: Path

    @property
    def plan(self) -> SchedulePlan:
        """The commands for the scheduler."""
        return PLANNERS[self.scheduler](self.job, self.home)

    def preview(self) -> str:
        """All that `install` would write and run, as text."""
        if self.scheduler == "cron":
            return f"# crontab -e\n{cron.lines(self.job)}"
        plan = self.plan
        parts = [f"# {path}\n{text}" for path, text in plan.files.items()]
        return "\n".join([*parts, *("$ " + " ".join(words) for words in plan.start)])

    def install(self) -> None:
        """Write the files, and have the scheduler read them."""
        if self.scheduler == "cron":
            _write_crontab(cron.with_lines(_read_crontab(), self.job))
            return
        plan = self.plan
        for path, text in plan.files.items():
            _write(path, text, plan.encoding)
        for words in plan.start:
            _run(words)

    def remove(self) -> bool:
        """Take the job out; returns whether there was one."""
        if self.scheduler == "cron":
            crontab = _read_crontab()
            if not cron.own_lines(crontab, self.job.name):
                return False
            _write_crontab(cron.without_lines(crontab, self.job.name))
            return True
        plan = self.plan
        if not any(path.exists() for path in plan.files):
            return False
        for words in plan.stop:
            _run(words, may_fail=True)  # it may have been stopped by hand
        for path in plan.files:
            _remove(path)
        for words in plan.after_removal:
            _run(words)
        return True

    def installed(self) -> str | None:
        """The job as it is installed, and what the scheduler says of it; None without one."""
        if self.scheduler == "cron":
            return cron.own_lines(_read_crontab(), self.job.name) or None
        plan = self.plan
        files = [path for path in plan.files if path.exists()]
        if not files:
            return None
        parts = [f"# {path}\n{_text_of(path, plan.encoding)}" for path in files]
        return "\n".join([*parts, _run(plan.show, may_fail=True)])


def _read_crontab() -> str:
    """The crontab of this user; empty where there is none yet."""
    done = _completed(("crontab", "-l"))
    if done.returncode and "no crontab" not in done.stderr:
        raise _failed(("crontab", "-l"), done.stderr)
    return done.stdout


def _write_crontab(text: str) -> None:
    _run(("crontab", "-"), text)


def _run(words: Sequence[str], text: str = "", *, may_fail: bool = False) -> str:
    done = _completed(words, text)
    if done.returncode and not may_fail:
        raise _failed(words, done.stderr or done.stdout)
    return done.stdout or done.stderr


def _completed(words: Sequence[str], text: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "LC_ALL": "C"}  # one of the answers is read
    try:
        return subprocess.run(
            words, input=text, capture_output=True, text=True, check=False, timeout=_SECONDS,
            env=environment,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(words, str(error)) from error


def _failed(words: Sequence[str], why: str) -> UsageError:
    return UsageError(
        f"The scheduler refused: {' '.join(words)}",
        why=" ".join(why.split()) or "It did not say why",
        kept="Nothing was removed; what was written is replaced by the next install",
        hint="archiver schedule install --dry-run prints what to write by hand",
    )


def _write(path: Path, text: str, encoding: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding)
    except OSError as error:
        raise _unwritable(path, error) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _text_of(path: Path, encoding: str) -> str:
    try:
        return path.read_text(encoding)
    except (OSError, UnicodeError) as error:
        return f"It cannot be read: {error}\n"


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path} cannot be written or removed",
        why=describe_error(error),
        hint="A schedule of the whole system needs the rights of its administrator (sudo)",
    )
