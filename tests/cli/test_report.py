"""archiver report: for people, for programs, and as a page."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive.checkpoints import add_checkpoint
from archiver.archive.database import writer
from support.running import Cli
from support.saver import POST, saving


@pytest.fixture
def archive(cli: Cli) -> None:
    """An archive of two posts in the current folder."""
    Path("archive.toml").write_text('[archive]\ndirectory = "archive"\nactor = "clerk"\n')
    with saving(Path()) as saver:
        saver.save(POST, replace(POST, platform_id="p2"))


@pytest.mark.usefixtures("archive")
def test_it_is_text_json_and_a_page_of_the_same(cli: Cli) -> None:
    text = cli("report").stdout
    assert text.startswith("Report of the archive archive (")
    assert "by clerk with archiver" in " ".join(text.split())
    assert "What this report cannot show:" in text
    found = json.loads(cli("report", "acme", "--since", "2026-03", "--json").stdout)
    assert (found["accounts"][0]["posts"], found["made_by"]) == (2, "clerk")
    assert (found["since"], found["until"]) == ("2026-03-01T00:00:00.000Z", None)
    done = cli("report", "--html", "report.html")
    assert (done.exit_code, done.stdout) == (0, "The report is in report.html.\n")
    page = Path("report.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<strong>2</strong> <span>posts</span>" in page


@pytest.mark.usefixtures("archive")
def test_hashes_are_whole_on_a_narrow_screen_and_nothing_is_wider(cli: Cli) -> None:
    with writer(Path("archive")) as connection:
        checkpoint = add_checkpoint(connection, "2026-03-03T00:00:00.000Z")
    assert checkpoint is not None
    assert cli("export", "csv", "out").exit_code == 0
    lines = cli("report").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    manifest = hashlib.sha256(Path("out/manifest-sha256.txt").read_bytes()).hexdigest()
    assert f"    {manifest}" in lines
    root = checkpoint.text.splitlines()[2]
    assert any(line.startswith("Its root hash ") and line.endswith(root) for line in lines)


@pytest.mark.usefixtures("archive")
def test_what_cannot_be_written_or_is_not_there_is_a_usage_error(cli: Cli) -> None:
    assert cli("report", "--html", "no/such/folder/report.html").exit_code == 2
    assert cli("report", "nobody").exit_code == 2
