"""The page of the runs tells what was done to look after the archive, too."""

import re
from pathlib import Path

import pytest

from archiver.unattended.care_log import CareEntry, log_care
from support.browsing import browsing
from support.gazette import gazette

AT = "2026-03-02T09:00:00.000Z"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with gazette(tmp_path) as world:
        world.publish("Good morning")
        world.backup("kiosk")
    return tmp_path / "archive"


def test_verifies_and_copies_are_listed_newest_first(directory: Path) -> None:
    log_care(directory, CareEntry("verify", AT, "damaged", files=12, bytes=3_400, damaged=2))
    log_care(directory, CareEntry("copy", AT, "failed", target="/mnt/<b>", error_code="disk_full"))
    with browsing(directory / "archive.db") as client:
        page = client.get("/archive/-/runs").text
        care = page[page.index("<h2>Care</h2>") : page.index('id="gaps"')]
        assert client.get("/archive/care/1").status_code == 200
    assert re.findall(r'outcome (\w+)"', care) == ["failed", "damaged"]
    assert "to /mnt/&lt;b&gt; <code>disk_full</code>" in care


def test_without_care_there_is_no_such_section(directory: Path) -> None:
    with browsing(directory / "archive.db") as client:
        assert "<h2>Care</h2>" not in client.get("/archive/-/runs").text
