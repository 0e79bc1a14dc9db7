"""archiver retention: it lists, and disposes only where that is said."""

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
    return make_config(tmp_path, f'actor = "records office"\n{RULES}')


def run(cli: Cli, config: Path, *args: str) -> Result:
    return cli("--config", str(config), *args)


def said(result: Result) -> str:
    assert result.exit_code == 0, result.stderr
    return " ".join(result.stdout.split())


def test_it_lists_what_is_due_by_each_rule(cli: Cli, config: Path) -> None:
    run(cli, config, "hold", "add", "p1", "--matter", "2026/17", "--reason", "A claim")
    text = said(run(cli, config, "retention"))
    assert "stories all: story 30 days published erase 0 0 0 4.2" in text
    assert "all else all 1 day published erase 2 1 1 4.1" in text
    assert text.endswith("1 post is under no rule, and never due.")
    posts = said(run(cli, config, "retention", "all else", "--posts"))
    assert "all else 1 acme post 2026-03-01 p1 2026/17" in posts
    assert "all else 2 acme post 2026-03-02 p2" in posts
    answer = json.loads(said(run(cli, config, "retention", "--json")))
    assert [rule["due"] for rule in answer["rules"]] == [[], [2]]
    assert [rule["held"] for rule in answer["rules"]] == [[], [1]]
    assert answer["posts_without_rule"] == 1


def test_what_is_due_is_disposed_of_only_when_that_is_said(cli: Cli, config: Path) -> None:
    run(cli, config, "hold", "add", "p1", "--matter", "2026/17", "--reason", "A claim")
    run(cli, config, "retention")
    assert said(run(cli, config, "erase", "--list")) == "Nothing was erased."
    done = said(run(cli, config, "retention", "--dispose", "--by", "clerk"))
    assert done.startswith(
        "Erasure 2, by rule all else: 4.1 (1 day since published): 1 post erased"
    )
    certificate = json.loads(said(run(cli, config, "erase", "--certificate", "2")))
    assert (certificate["kind"], certificate["approved_by"]) == ("disposal", "clerk")
    again = said(run(cli, config, "retention", "--dispose"))
    assert (
        again == "No post was erased: none is due by a rule that erases, or all of those are held."
    )
    assert json.loads(said(run(cli, config, "retention", "--dispose", "--json"))) == {
        "disposed": []
    }


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nowhere"], "There is no retention rule nowhere"),
        (["--posts", "--dispose"], "one at a time"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(
    cli: Cli, config: Path, args: list[str], says: str
) -> None:
    done = run(cli, config, "retention", *args)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())


def test_a_config_without_rules_says_where_one_is_shown(cli: Cli, config: Path) -> None:
    config.write_text('[archive]\ndirectory = "archive"\n')
    done = run(cli, config, "retention")
    assert done.exit_code == 2
    assert "docs/retention.md" in done.stderr
