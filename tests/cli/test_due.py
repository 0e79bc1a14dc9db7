"""archiver status, where it says what is due by rules of retention."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from support.exporting import make_config
from support.running import Cli

RULES = """
[[retention]]
name = "stories"
kinds = ["story"]
period = "30 days"
basis = "4.2"

[[retention]]
name = "all else"
period = "1 day"
basis = "4.1"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return make_config(tmp_path, RULES)


def run(cli: Cli, config: Path, *args: str) -> Result:
    done = cli("--config", str(config), *args)
    assert done.exit_code == 0, done.stderr
    return done


def test_it_says_what_is_due_by_which_rule_until_it_is_disposed_of(cli: Cli, config: Path) -> None:
    text = " ".join(run(cli, config, "status").stdout.split())
    assert "due by retention rules: RULE DUE HELD THEN all else 2 erase" in text
    assert "retention --posts" in text
    run(cli, config, "hold", "add", "p1", "--matter", "2026/17", "--reason", "A claim")
    assert "all else 1 1 erase" in " ".join(run(cli, config, "status").stdout.split())
    assert json.loads(run(cli, config, "status", "--json").stdout)["retention"] == [
        {"rule": "stories", "action": "erase", "due": 0, "held": 0},
        {"rule": "all else", "action": "erase", "due": 1, "held": 1},
    ]
    run(cli, config, "retention", "--dispose")
    assert "retention rules" not in run(cli, config, "status").stdout, "what is held has to stay"


def test_without_rules_nothing_is_due(cli: Cli, config: Path) -> None:
    config.write_text('[archive]\ndirectory = "archive"\n')
    assert "retention rules" not in run(cli, config, "status").stdout
    assert json.loads(run(cli, config, "status", "--json").stdout)["retention"] == []


def test_monitoring_warns_of_what_is_due_for_long(cli: Cli, config: Path) -> None:
    done = cli("--config", str(config), "status", "--prometheus")
    assert 'archiver_concerns{severity="warning"} 1' in done.stdout
