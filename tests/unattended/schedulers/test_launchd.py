"""A property list for launchd, by the keys of launchd.plist(5)."""

import plistlib
from pathlib import Path

from archiver.unattended.schedulers import launchd
from support.schedules import job_in

KNOWN = {
    "Label", "ProgramArguments", "StartCalendarInterval", "StandardOutPath", "StandardErrorPath",
    "EnvironmentVariables", "ProcessType", "LowPriorityIO", "Umask",
}  # fmt: skip


def test_its_keys_are_documented_ones_and_say_when_and_where(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    plan = launchd.plan(job, Path("/Users/you"))
    ((path, text),) = plan.files.items()
    content = plistlib.loads(text.encode())
    assert path == Path("/Users/you/Library/LaunchAgents/social-archiver.archiver.plist")
    assert set(content) == KNOWN
    assert content["Label"] == path.stem
    assert content["ProgramArguments"] == list(job.words)
    assert content["StartCalendarInterval"] == {"Minute": 17}, "of every hour"
    assert content["ProcessType"] in {"Background", "Standard", "Adaptive", "Interactive"}
    assert content["StandardErrorPath"] == plan.logs
    assert plan.start[0][:2] == ("launchctl", "bootstrap")
    assert plan.stop[0][:2] == ("launchctl", "bootout")


def test_at_night_it_has_an_hour_too(tmp_path: Path) -> None:
    (text,) = launchd.plan(job_in(tmp_path, hour=3), Path("/Users/you")).files.values()
    assert plistlib.loads(text.encode())["StartCalendarInterval"] == {"Hour": 3, "Minute": 17}
