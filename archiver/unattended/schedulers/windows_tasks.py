"""Task Scheduler on Windows. Written by the documentation; not run by this project.

Source: https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema
"""

import os
from pathlib import Path
from subprocess import list2cmdline
from xml.sax.saxutils import escape

from archiver.unattended.schedulers.job import Job, SchedulePlan

_TASK = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Back up social media accounts</Description>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
{repetition}      <StartBoundary>2026-01-01T{hour:02}:{minute:02}:00</StartBoundary>
      <RandomDelay>PT30M</RandomDelay>
      <ScheduleByDay>
        <DaysInterval>1</DaysInterval>
      </ScheduleByDay>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>{on_mains}</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>{on_mains}</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>true</RunOnlyIfNetworkAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{command}</Command>
      <Arguments>{arguments}</Arguments>
    </Exec>
  </Actions>
</Task>
"""

_EVERY_HOUR = """\
      <Repetition>
        <Interval>PT1H</Interval>
        <Duration>P1D</Duration>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
"""


def plan(job: Job, home: Path) -> SchedulePlan:
    """The definition of a task, kept where `schedule show` finds it again."""
    local = os.environ.get("LOCALAPPDATA")
    folder = Path(local) if local else home / "AppData/Local"
    path = folder / "archiver" / f"{job.name}.xml"
    command, *arguments = job.words
    text = _TASK.format(
        hour=job.hour or 0, minute=job.minute,
        repetition=_EVERY_HOUR if job.hour is None else "", on_mains=str(job.on_mains).lower(),
        command=escape(command), arguments=escape(list2cmdline(arguments)),
    )  # fmt: skip
    task = ("/TN", job.name)
    return SchedulePlan(
        files={path: text},
        start=(("schtasks", "/Create", "/F", *task, "/XML", str(path)),),
        stop=(("schtasks", "/Delete", "/F", *task),),
        show=("schtasks", "/Query", "/V", "/FO", "LIST", *task),
        logs="the Task Scheduler keeps the exit code only; archiver status has the last runs",
        remark="Not tried on Windows by this project. It runs while you are logged in.",
        encoding="utf-16",
    )
