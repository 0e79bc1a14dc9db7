"""launchd on macOS: an agent of the user. Written by the documentation; not run by this project.

Source: launchd.plist(5), launchctl(1). A job that was missed while the machine slept is run when it
wakes up.
"""

import os
import plistlib
from pathlib import Path

from archiver.unattended.schedulers.job import Job, SchedulePlan


def plan(job: Job, home: Path) -> SchedulePlan:
    """The property list of a job."""
    label = f"social-archiver.{job.name}"
    path = home / "Library/LaunchAgents" / f"{label}.plist"
    log = home / "Library/Logs" / f"{label}.log"
    hour = {} if job.hour is None else {"Hour": job.hour}  # a key that is missing is any
    content = {
        "Label": label,
        "ProgramArguments": list(job.words),
        "StartCalendarInterval": {**hour, "Minute": job.minute},
        "StandardOutPath": str(log),
        "StandardErrorPath": str(log),
        "EnvironmentVariables": {"PYTHONSAFEPATH": "1"},
        "ProcessType": "Background",
        "LowPriorityIO": True,
        "Umask": 0o077,
    }
    domain = f"gui/{os.getuid() if hasattr(os, 'getuid') else 0}"
    return SchedulePlan(
        files={path: plistlib.dumps(content, sort_keys=False).decode()},
        start=(("launchctl", "bootstrap", domain, str(path)),),
        stop=(("launchctl", "bootout", f"{domain}/{label}"),),
        show=("launchctl", "print", f"{domain}/{label}"),
        logs=str(log),
        remark="Not tried on macOS by this project. It runs while you are logged in; a run that "
        "was missed while the Mac slept follows when it wakes up.",
    )
