"""Units of systemd: read by systemd itself, and run as they are written."""

import configparser
import os
import shlex
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.unattended.schedulers import systemd
from archiver.unattended.schedulers.job import Job
from support.nights import nights
from support.schedules import job_in

HOME = Path("/home/you")


def runs_a_manager() -> bool:
    """Whether systemd manages what this user runs; in most containers it does not."""
    if not shutil.which("systemctl"):
        return False
    asked = ["systemctl", "--user", "is-system-running"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.stdout.strip() in {"running", "degraded"}


def texts(job: Job) -> tuple[str, str]:
    service, timer = systemd.plan(job, HOME).files.values()
    return service, timer


def unit(text: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[method-assign,assignment]  # keys keep their case
    parsed.read_string(text)
    return parsed


def test_a_missed_run_is_caught_up_and_no_two_machines_ask_at_once(tmp_path: Path) -> None:
    for hour, when in ((None, "*-*-* *:17:00"), (3, "*-*-* 03:17:00")):
        timer = unit(texts(job_in(tmp_path, hour=hour))[1])["Timer"]
        assert timer["OnCalendar"] == when
        assert timer["Persistent"] == "yes"
        assert timer["RandomizedDelaySec"] == "30min"


def test_an_hour_between_two_calls_is_an_hour(tmp_path: Path) -> None:
    assert unit(texts(job_in(tmp_path))[1])["Timer"]["FixedRandomDelay"] == "yes"
    assert "FixedRandomDelay" not in texts(job_in(tmp_path, hour=3))[1]


def test_the_user_s_units_are_in_their_home_and_the_system_s_in_etc(tmp_path: Path) -> None:
    files = systemd.plan(job_in(tmp_path), HOME).files
    assert {path.parent for path in files} == {HOME / ".config/systemd/user"}
    files = systemd.plan(job_in(tmp_path, user="archiver"), HOME).files
    assert {path.parent for path in files} == {Path("/etc/systemd/system")}


def test_a_system_s_service_may_write_to_its_own_folders_only(tmp_path: Path) -> None:
    service = unit(texts(job_in(tmp_path, user="archiver"))[0])["Service"]
    assert service["User"] == "archiver"
    assert service["ProtectSystem"] == "strict"
    assert shlex.split(service["ReadWritePaths"]) == [str(tmp_path)]


def test_where_something_is_in_a_home_homes_can_be_read(tmp_path: Path) -> None:
    away = job_in(Path("/srv/archiver"), user="archiver", program=("/opt/archiver/bin/archiver",))
    assert unit(texts(away)[0])["Service"]["ProtectHome"] == "yes"
    at_home = job_in(Path("/home/you/archive"), user="you")
    assert unit(texts(at_home)[0])["Service"]["ProtectHome"] == "read-only"


def test_on_mains_is_a_condition(tmp_path: Path) -> None:
    assert "ConditionACPower" not in texts(job_in(tmp_path))[0]
    service = unit(texts(job_in(tmp_path, on_mains=True))[0])
    assert service["Unit"]["ConditionACPower"] == "true"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
@pytest.mark.parametrize("user", [None, "root"])
@pytest.mark.parametrize("folder", ["plain", 'with spaces, 50 % "and" a $HOME'])
def test_systemd_finds_nothing_wrong_with_them(
    tmp_path: Path, user: str | None, folder: str
) -> None:
    units = tmp_path / "units"
    units.mkdir()
    (tmp_path / folder).mkdir()
    job = job_in(tmp_path / folder, user=user)
    for path, text in systemd.plan(job, HOME).files.items():
        (units / path.name).write_text(text)
    runtime = tmp_path / "runtime"
    runtime.mkdir(0o700)
    done = subprocess.run(
        ["systemd-analyze", *(() if user else ("--user",)), "--man=no", "verify",
         units / "archiver.service", units / "archiver.timer"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:", "XDG_RUNTIME_DIR": str(runtime)},
    )  # fmt: skip
    about_ours = [line for line in done.stderr.splitlines() if "archiver" in line]
    assert (done.returncode, about_ours) == (0, []), done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not runs_a_manager(), reason="no manager of systemd runs here")
def test_a_manager_of_systemd_runs_the_service(tmp_path: Path) -> None:
    def control(*words: str) -> subprocess.CompletedProcess[str]:
        asked = ["systemctl", "--user", "--runtime", *words]
        return subprocess.run(asked, capture_output=True, text=True, check=False)

    with nights(tmp_path, "bluesky") as world:
        world.account("bluesky").populate(2)
        world.clock.advance(seconds=(datetime.now(UTC) - world.clock.now()).total_seconds())
        world.config()  # writes the file
        job = replace(job_in(tmp_path), name=f"archiver-test-{os.getpid()}")
        service = tmp_path / f"{job.name}.service"
        service.write_text(texts(job)[0])
        linked = control("link", str(service))
        try:
            started = control("start", service.name)
        finally:
            control("disable", service.name)
        assert (linked.returncode, started.returncode) == (0, 0), started.stderr
        assert world.column("SELECT outcome FROM runs") == ["done"]
