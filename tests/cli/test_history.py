"""archiver history: a post in full, for people and for programs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.models import Metric
from support.running import Cli
from support.saver import POST, saving


@pytest.fixture
def archive(cli: Cli) -> None:
    """An archive in the current folder: a post that was edited, and a twin of its address."""
    Path("archive.toml").write_text('[archive]\ndirectory = "archive"\n')
    with saving(Path()) as saver:
        for text, likes in (("Oepn on Monday", 3), ("Open on Monday", 1_250)):
            saver.save(
                replace(
                    POST, text=text, content={"text": text}, url="https://example.com/p/1",
                    metrics=(Metric("likes", likes),),
                ),
                replace(POST, platform_id="p2", url="https://example.com/p/1"),
            )  # fmt: skip


@pytest.mark.usefixtures("archive")
def test_it_shows_versions_events_and_metrics(cli: Cli) -> None:
    done = cli("history", "p1")
    assert done.exit_code == 0
    assert "acme, post 1, published 2026-03-01 09:00" in done.stdout
    assert "Version 2, edited: seen 2026-03-02 21:00 through ayrshare" in done.stdout
    assert "text: [-Oepn-]{+Open+} on Monday" in done.stdout
    assert "2026-03-01 3, 2026-03-02 1,250" in done.stdout
    events = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("2026-03")]
    assert events == ["seen", "edited"]


@pytest.mark.usefixtures("archive")
def test_json_has_the_same(cli: Cli) -> None:
    found = json.loads(cli("history", "p1", "--json").stdout)
    assert found["post"]["id"] == 1
    assert [version["number"] for version in found["versions"]] == [1, 2]
    assert found["versions"][1]["edits"][0]["pieces"][:2] == [
        {"what": "out", "text": "Oepn"}, {"what": "in", "text": "Open"},
    ]  # fmt: skip
    assert found["metrics"][0]["values"][-1] == ["2026-03-02T21:00:00.000Z", 1250]


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(
    ("name", "words"),
    [("p9", "There is no post p9"), ("https://example.com/p/1", "1 (acme), 2 (acme)")],
)
def test_a_name_of_no_post_or_of_several_is_refused(cli: Cli, name: str, words: str) -> None:
    done = cli("history", name)
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.split())
