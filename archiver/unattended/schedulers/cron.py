"""cron, where a system has nothing better: lines in the crontab of the current user.

Source: crontab(5). A night that was missed while the machine was off is caught up by the line for
its next start: where nothing new is expected, a run ends at once. A job of every hour needs none.
"""

import shlex
from pathlib import Path

from archiver.unattended.schedulers.job import Job, SchedulePlan


def lines(job: Job) -> str:
    """The lines of a job, with a comment before and after, by which they are found again."""
    command = shlex.join(job.words).replace("%", "\\%")  # cron takes a bare one for a new line
    if job.on_mains:
        command = f"! {{ command -v on_ac_power > /dev/null && ! on_ac_power; }} && {command}"
    begin, end = _marks(job.name)
    if job.hour is None:
        return f"{begin}\n{job.minute} * * * * {command}\n{end}\n"
    return f"{begin}\n{job.minute} {job.hour} * * * {command}\n@reboot {command}\n{end}\n"


def with_lines(crontab: str, job: Job) -> str:
    """A crontab with the lines of a job, in place of those that it had before."""
    rest = without_lines(crontab, job.name)
    return f"{rest}{lines(job)}"


def without_lines(crontab: str, name: str) -> str:
    """A crontab without the lines of the job of that name; all others stay as they are."""
    return _parts(crontab, name)[1]


def own_lines(crontab: str, name: str) -> str:
    """The lines of the job of that name in a crontab; empty where there are none."""
    return _parts(crontab, name)[0]


def _parts(crontab: str, name: str) -> tuple[str, str]:
    """A crontab in two: the lines of a job, and all others."""
    begin, end = _marks(name)
    own, others = "", ""
    is_own = False
    for line in crontab.splitlines():
        is_own = is_own or line == begin
        if is_own:
            own += f"{line}\n"
        else:
            others += f"{line}\n"
        is_own = is_own and line != end
    return own, others


def plan(job: Job, home: Path) -> SchedulePlan:  # noqa: ARG001 — as the others
    """The job as lines of a crontab, which is no file of ours: the installer edits it."""
    return SchedulePlan(
        files={},
        start=(),
        stop=(),
        show=("crontab", "-l"),
        logs="cron mails what a run prints to the owner of the crontab, or to MAILTO in it",
    )


def _marks(name: str) -> tuple[str, str]:
    return f"# begin of {name}, written by archiver schedule", f"# end of {name}"
