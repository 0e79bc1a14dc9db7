"""A task for Windows, by the elements of the Task Scheduler's schema."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from archiver.unattended.schedulers import windows_tasks
from support.schedules import job_in

NAMESPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def elements(text: str) -> dict[str, str]:
    return {
        node.tag.removeprefix(NAMESPACE): (node.text or "").strip()
        for node in ElementTree.fromstring(text).iter()
    }


@pytest.mark.parametrize("on_mains", [False, True])
def test_its_settings_catch_up_and_wait_for_the_network(tmp_path: Path, on_mains: bool) -> None:
    plan = windows_tasks.plan(job_in(tmp_path, on_mains=on_mains), tmp_path)
    (text,) = plan.files.values()
    found = elements(text)
    assert found["StartBoundary"].endswith("T00:17:00")
    assert (found["Interval"], found["Duration"]) == ("PT1H", "P1D")
    assert found["DaysInterval"] == "1"
    for name in ("StartWhenAvailable", "RunOnlyIfNetworkAvailable"):
        assert found[name] == "true"
    for name in ("DisallowStartIfOnBatteries", "StopIfGoingOnBatteries"):
        assert found[name] == str(on_mains).lower()
    assert found["MultipleInstancesPolicy"] == "IgnoreNew"
    assert found["ExecutionTimeLimit"] == "PT0S", "without a limit"
    assert plan.encoding == "utf-16", "which schtasks reads, and which the file declares"


def test_what_is_special_in_xml_means_itself(tmp_path: Path) -> None:
    (text,) = windows_tasks.plan(job_in(tmp_path / "a & <b>"), tmp_path).files.values()
    assert "a & <b>" in elements(text)["Arguments"]


def test_at_night_it_is_not_repeated(tmp_path: Path) -> None:
    (text,) = windows_tasks.plan(job_in(tmp_path, hour=3), tmp_path).files.values()
    found = elements(text)
    assert found["StartBoundary"].endswith("T03:17:00")
    assert "Repetition" not in found
