"""archiver erase: two steps, an undo between them, and what it says."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from archiver.unattended.care_log import CareEntry, log_care
from support.exporting import make_config
from support.running import Cli

AT = "2026-03-10T00:00:00.000Z"
WHY = ("--basis", "GDPR Art. 17, case 4")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return make_config(tmp_path, 'actor = "records office"\n')


def run(cli: Cli, config: Path, *args: str) -> Result:
    return cli("--config", str(config), *args)


def said(result: Result) -> str:
    assert result.exit_code == 0, result.stderr
    return " ".join(result.stdout.split())


def test_it_is_planned_and_then_carried_out(cli: Cli, config: Path) -> None:
    planned = run(cli, config, "erase", "p1", *WHY)
    assert said(planned) == "Erasure 1 is planned: 1 post. Nothing is erased yet."
    assert "erase --confirm 1" in planned.stderr
    assert "1 planned 1" in said(run(cli, config, "status"))
    log_care(config.parent / "archive", CareEntry("copy", AT, "done", target="/mnt/copy"))
    done = run(cli, config, "erase", "--confirm", "1", "--by", "officer")
    text = said(done)
    assert text.startswith("1 post erased, 1 file deleted, 0 kept since other posts have them too.")
    assert "this erases there: archiver copy /mnt/copy" in text
    assert "Not erased: What other posts say about the erased ones" in text
    certificate = json.loads(said(run(cli, config, "erase", "--certificate", "1")))
    assert (certificate["basis"], certificate["approved_by"]) == (WHY[1], "officer")
    assert "1 done erasure 1" in said(run(cli, config, "erase", "--list"))
    assert "Erasures:" not in run(cli, config, "status").stdout


def test_a_dry_run_plans_nothing(cli: Cli, config: Path) -> None:
    done = run(cli, config, "erase", "--account", "acme", *WHY, "--dry-run")
    assert said(done) == "3 posts would be erased."
    assert said(run(cli, config, "erase", "--list")) == "Nothing was erased."


def test_a_plan_can_be_undone(cli: Cli, config: Path) -> None:
    run(cli, config, "erase", "p1", *WHY)
    undone = run(cli, config, "erase", "--undo", "1")
    assert said(undone) == "Erasure 1 is withdrawn; nothing was erased."
    assert run(cli, config, "erase", "--confirm", "1").exit_code == 2


def test_what_is_held_is_not_erased(cli: Cli, config: Path) -> None:
    run(cli, config, "hold", "add", "p1", "--matter", "2026/17", "--reason", "A claim")
    dry = run(cli, config, "erase", "--account", "acme", *WHY, "--dry-run")
    assert said(dry) == "3 posts would be erased, 1 of them under legal hold."
    refused = run(cli, config, "erase", "--account", "acme", *WHY)
    assert refused.exit_code == 2
    assert "1 post under legal hold for 2026/17" in " ".join(refused.stderr.split())


def test_the_sums_of_metrics_are_kept_if_asked(cli: Cli, config: Path) -> None:
    run(cli, config, "erase", "p1", *WHY, "--keep-metrics")
    run(cli, config, "erase", "--confirm", "1")
    certificate = json.loads(said(run(cli, config, "erase", "--certificate", "1")))
    assert certificate["sums_of_last_metrics"] == {"likes": 5, "organic.views": 1.5}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([*WHY], "Which posts?"),
        (["p1"], "needs --basis"),
        (["--search", "nowhere", *WHY], "No post matches"),
        (["--confirm", "9"], "There is no erasure 9"),
        (["--confirm", "1", "--undo", "1"], "one at a time"),
        (["--certificate", "9"], "There is no erasure 9"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(
    cli: Cli, config: Path, args: list[str], says: str
) -> None:
    done = run(cli, config, "erase", *args)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())
