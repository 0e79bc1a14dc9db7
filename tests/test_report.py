"""The report of a run: its outcome, its exit code, and no key in anything that a plugin words."""

import json

import pytest

from archiver.archive.runs import Counts
from archiver.errors import (
    AccessRefused,
    ArchiverError,
    DuplicateAccount,
    PluginError,
    SourceDown,
)
from archiver.report import AccountReport, Outcome, RunReport
from archiver.secrets import Secret


def account(
    outcome: Outcome = "done", error: ArchiverError | None = None, failed: int = 0
) -> AccountReport:
    found = AccountReport("acme", "threads", "ayrshare", outcome, Counts(got=2, failed=failed))
    if error is not None:
        found.fail(error)
    return found


def run(*accounts: AccountReport, interrupted: bool = False) -> RunReport:
    return RunReport("2026-03-01", accounts=list(accounts), interrupted=interrupted)


@pytest.mark.parametrize(
    ("report", "exit_code", "outcome"),
    [
        (run(), 0, "done"), (run(account()), 0, "done"), (run(account("fresh")), 0, "done"),
        (run(account("partial")), 3, "partial"), (run(account(failed=1)), 3, "partial"),
        (run(account(error=SourceDown("x"))), 4, "failed"),
        (run(account(error=SourceDown("x")), account("fresh")), 4, "failed"),
        (run(account(error=SourceDown("x")), account()), 3, "partial"),
        (run(account(error=SourceDown("x")), account(error=AccessRefused("x"))), 3, "partial"),
        (run(account(error=AccessRefused("x"))), 5, "failed"),
        (run(account(error=PluginError("x"))), 2, "failed"),
        (run(account(), account(error=DuplicateAccount("x"))), 2, "failed"),
        (run(account(error=SourceDown("x")), interrupted=True), 130, "interrupted"),
    ],
)  # fmt: skip
def test_the_exit_code_and_the_outcome_say_how_it_went(
    report: RunReport, exit_code: int, outcome: str
) -> None:
    assert (report.exit_code, report.outcome) == (exit_code, outcome)


def test_a_warning_makes_the_outcome_partial_and_a_note_does_not() -> None:
    found = account()
    found.note("The source is slow")
    found.note("The source is slow")
    assert (found.outcome, found.notes) == ("done", ["The source is slow"])
    found.warn("A page is missing")
    found.warn("A page is missing")
    assert (found.outcome, found.warnings) == ("partial", ["A page is missing"])
    found.fail(SourceDown("x"))
    found.warn("Another one")
    assert found.outcome == "failed"


def test_counts_of_all_accounts_are_added() -> None:
    assert run(account(), account(failed=3)).counts == Counts(got=4, failed=3)


def test_unmapped_paths_are_kept_once_short_and_not_without_end() -> None:
    found = account()
    found.add_unmapped(["a", "b", "a", "x" * 500])
    assert (found.unmapped, found.unmapped_paths) == (4, ["a", "b", "x" * 200])
    found.add_unmapped([f"path{n}" for n in range(500)])
    assert (found.unmapped, len(found.unmapped_paths)) == (504, 100)
    found.add_unmapped(["a", "b"], 3)
    assert (found.unmapped, len(found.unmapped_paths)) == (510, 100)


def test_no_key_is_in_the_messages_of_a_plugin() -> None:
    Secret("key-of-a-report").reveal()
    found = account()
    found.warn("key-of-a-report in a warning")
    found.note("key-of-a-report in a note")
    found.fail(SourceDown("key-of-a-report", why="key-of-a-report", hint="key-of-a-report"))
    text = json.dumps(run(found).as_json())
    assert "key-of-a-report" not in text
    assert text.count("[secret]") == 5


def test_an_error_of_a_plugins_own_class_becomes_one_of_ours() -> None:
    class Own(SourceDown):
        def __str__(self) -> str:
            raise RuntimeError("it formats itself")

    found = account(error=Own("The source is down", code="own"))
    assert type(found.error) is SourceDown
    assert (found.error.what, found.error.code) == ("The source is down", "own")


def test_the_report_for_programs_is_plain_json() -> None:
    report = run(account("partial"))
    found = json.loads(json.dumps(report.as_json()))
    assert (found["outcome"], found["exit_code"], found["got"]) == ("partial", 3, 2)
    assert found["accounts"][0]["name"] == "acme"
    assert found["accounts"][0]["error"] is None
