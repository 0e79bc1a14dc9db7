"""What is damaged is said in full words, on a screen of any width, with what to do next."""

import click
import pytest

from archiver.cli.verify_findings import hint_for, listed
from archiver.evidence.findings import Finding, Verified, What
from archiver.evidence.repair import Repaired

LONG = (
    "has a checkpoint of other 148 entries: the ledger was altered or made anew, or an older copy"
)


def test_findings_are_a_table_and_where_it_would_cut_them_paragraphs() -> None:
    row = Finding("ledger", "posts 1", "is missing")
    assert click.unstyle(listed([row], 5)).splitlines() == [
        "DAMAGE  WHERE    WHAT",
        "ledger  posts 1  is missing",
    ]
    said = click.unstyle(listed([row, Finding("ledger", "/srv/archive.signed.json", LONG)], 5))
    assert said.splitlines()[0] == "ledger  posts 1: is missing"
    assert f"ledger /srv/archive.signed.json: {LONG}" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80


def test_what_was_rolled_back_or_made_anew_is_said_before_the_rows_that_do_not_fit() -> None:
    rows = [Finding("ledger", f"posts {number}", "is missing") for number in range(9)]
    said = click.unstyle(listed([*rows, Finding("rolled_back", "kept.txt", "has more")], 2))
    assert [line.split()[0] for line in said.splitlines()] == ["DAMAGE", "rolled_back", "ledger"]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("rebuilt", "--accept-restore"), ("rolled_back", "--accept-restore"),
        ("foreign_key", "no repair puts this right"), ("broken_token", "no repair puts this right"),
        ("ledger", "--repair --from"), ("changed_file", "--repair, with --from"),
        ("version", "--repair"),
    ],
)  # fmt: skip
def test_no_repair_is_advised_where_none_helps(what: What, words: str) -> None:
    found = Verified(findings=[Finding(what, "x", "y"), Finding("ledger", "x", "y")])
    said = hint_for(found, Repaired(), asked=False, copy=None)
    assert words in said
    assert ("--repair" in said) == (what in {"ledger", "changed_file", "version"})
