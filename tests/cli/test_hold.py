"""archiver hold places, lists and releases holds; what they touch says so everywhere."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from archiver.archive.database import reader
from support.browsing import browsing
from support.exporting import make_config
from support.running import Cli

WHY = ("--matter", "2026/17", "--reason", "Claim of Smith")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return make_config(tmp_path, 'actor = "records office"\n')


def run(cli: Cli, config: Path, *args: str) -> Result:
    return cli("--config", str(config), *args)


def said(result: Result) -> str:
    assert result.exit_code == 0, result.stderr
    return " ".join(result.stdout.split())


def test_a_hold_says_what_it_is_on_and_who_placed_it(cli: Cli, config: Path) -> None:
    placed = run(cli, config, "hold", "add", "--search", "bowl", *WHY)
    assert said(placed) == "Hold 1 for 2026/17: all accounts, with “bowl”, 1 post now."
    listed = said(run(cli, config, "hold", "list"))
    assert "2026/17 all accounts" in listed
    assert "records office Claim of Smith" in listed


def test_a_released_hold_stays_on_record(cli: Cli, config: Path) -> None:
    run(cli, config, "hold", "add", "p1", *WHY, "--by", "counsel")
    released = run(
        cli,
        config,
        "hold",
        "release",
        "--matter",
        "2026/17",
        "--reason",
        "Settled",
        "--by",
        "judge",
    )
    assert said(released) == "1 hold for 2026/17 released."
    assert said(run(cli, config, "hold", "list")) == "There are no holds."
    (hold,) = json.loads(said(run(cli, config, "hold", "list", "--released", "--json")))["holds"]
    assert (hold["placed_by"], hold["released_by"], hold["release_reason"]) == (
        "counsel", "judge", "Settled",
    )  # fmt: skip
    with reader(config.parent / "archive") as connection:
        entries = connection.execute("SELECT entry FROM ledger ORDER BY id DESC LIMIT 2").fetchall()
    happened = [json.loads(entry)["happened"] for (entry,) in entries]
    assert happened == [{"hold_released": 1}, {"hold": 1}]


def test_status_and_every_page_of_a_held_post_show_the_hold(cli: Cli, config: Path) -> None:
    run(cli, config, "hold", "add", "p1", *WHY)
    assert "2026/17 post 1" in said(run(cli, config, "status"))
    assert json.loads(said(run(cli, config, "status", "--json")))["holds"][0]["matter"] == "2026/17"
    mark = "Legal hold: 2026/17"
    with browsing(config.parent / "archive" / "archive.db") as client:
        for page in ("timeline", "timeline?account=acme", "home", "post/1"):
            assert mark in client.get(f"/archive/-/{page}").text, page
        assert mark not in client.get("/archive/-/post/2").text
        assert (
            "<dt>Legal hold</dt><dd>2026/17</dd>" in client.get("/archive/-/post/1/evidence").text
        )
        assert "legal hold: 2026/17" in client.get("/archive/-/print").text


def test_what_is_held_for_a_matter_is_exported(cli: Cli, config: Path, tmp_path: Path) -> None:
    run(cli, config, "hold", "add", "p2", *WHY)
    exported = run(cli, config, "export", "jsonl", str(tmp_path / "out"), "--held", "2026/17")
    assert "1 post " in said(exported)
    (line,) = (tmp_path / "out" / "posts.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["platform_id"] == "p2"
    assert "held for 2026/17" in (tmp_path / "out" / "README.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["add", *WHY], "which posts it is on"),
        (["add", "p1"], "needs --matter and --reason"),
        (["add", "--all", "p1", *WHY], "--all is for every post"),
        (["add", "p9", *WHY], "No posts are known as p9"),
        (["add", "--account", "nobody", *WHY], "no account nobody"),
        (["release", *WHY], "Nothing is held for 2026/17"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(
    cli: Cli, config: Path, args: list[str], says: str
) -> None:
    done = run(cli, config, "hold", *args)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())
