"""The words and the last line of a run's report."""

from typing import Any

import click
import pytest

from archiver.archive.changes import Change, ChangeCount
from archiver.archive.runs import Counts
from archiver.cli.summary import count_line, has_trouble, run_summary, trouble_summary
from archiver.errors import AccessRefused
from archiver.report import AccountReport, FileFailure, RunReport


def report(counts: Counts, **fields: Any) -> RunReport:
    """The report of a run over one account."""
    return RunReport(
        "2026-01-01T00:00:00.000Z",
        accounts=[AccountReport("acme", "threads", "ayrshare", counts=counts)],
        **fields,
    )


def test_the_last_line_counts() -> None:
    counts = Counts(got=9, new=1234, edited=2, removed=3, stored=4, omitted=5, failed=6)
    line = (
        "1,234 new, 2 edited, 3 removed; media 4 new (1.5 MB), 5 omitted, 6 failed; 7 files waiting"
    )
    made = report(counts, received=1_500_000, waiting=7)
    assert count_line(made) == line
    assert run_summary(made).splitlines()[-1] == line


def test_a_run_without_news_is_one_line_and_quiet() -> None:
    made = report(Counts(got=9))
    assert not has_trouble(made)
    assert run_summary(made).splitlines() == [
        "Nothing new: acme.", "",
        "0 new, 0 edited, 0 removed; media 0 new, 0 omitted, 0 failed",
    ]  # fmt: skip


def test_files_that_were_not_downloaded_are_listed_with_the_reason() -> None:
    failures = (FileFailure("acme", "failed", "the server answered 500", 3),)
    text = run_summary(report(Counts(got=9, failed=3), file_failures=failures))
    assert "Files not downloaded (failed ones are retried):" in text
    assert "the server answered 500" in text


@pytest.mark.parametrize("word", ["gone", "withheld", "had", "given back"])
def test_the_columns_have_the_words_of_the_tables(word: str) -> None:
    text = run_summary(report(Counts(got=9, new=1, edited=1, removed=1, omitted=1, failed=1)))
    assert "REMOVED" in text
    assert "OMITTED" in text
    assert word not in text.casefold()


def refused(*names: str, others: int = 0) -> RunReport:
    """A run in which some accounts failed for the same reason, and others did not."""
    made = RunReport("2026-01-01T00:00:00.000Z")
    for name in names:
        account = AccountReport(name, "threads", "ayrshare")
        account.fail(AccessRefused("The key is wrong", why="It answered 401", hint="Look at it"))
        made.accounts.append(account)
    made.accounts += [
        AccountReport(f"fine-{number}", "threads", "ayrshare") for number in range(others)
    ]
    return made


@pytest.mark.parametrize(
    ("made", "whom"),
    [
        (refused(*(f"a{number}" for number in range(10))), "all 10 accounts"),
        (refused("one", "two"), "both accounts"),
        (refused("one"), "one"),
        (refused("one", "two", others=1), "one, two"),
        (refused("a", "b", "c", "d", "e", others=1), "a, b, c and 2 more accounts"),
    ],
)
def test_one_error_of_several_accounts_is_shown_once(made: RunReport, whom: str) -> None:
    text = click.unstyle(run_summary(made))
    assert text.count("The key is wrong") == 1
    assert f"Error: {whom}: The key is wrong\n  Why:  It answered 401\n  Next: Look at it" in text


def test_where_the_source_gave_each_its_own_reason_one_of_them_is_named() -> None:
    made = RunReport("2026-01-01T00:00:00.000Z")
    for name in ("one", "two"):
        account = AccountReport(name, "threads", "ayrshare")
        account.fail(AccessRefused("It is not linked", why=f"It says {name}", hint="Link it"))
        made.accounts.append(account)
    text = click.unstyle(run_summary(made))
    assert text.count("It is not linked") == 1
    assert "Why:  For one: It says one" in text


def test_one_warning_of_several_accounts_is_shown_once() -> None:
    made = refused(others=3)
    for account in made.accounts[:2]:
        account.warn("The answer was partial")
    assert run_summary(made).count("fine-0, fine-1: The answer was partial") == 1


def changes(count: int, what: str, *, is_first: bool) -> RunReport:
    """A run that found so many changes of one kind."""
    listed = [Change(what, "acme", "threads", n, f"Post {n}", None, None, None) for n in range(200)]
    counts = (ChangeCount(what, "acme", "copyright", is_first, count),)
    return report(Counts(got=count, new=1), changes=listed[:count], change_counts=counts)


@pytest.mark.parametrize(
    ("count", "lines", "more"), [(2, 2, 0), (4, 4, 0), (5, 3, 2), (999, 3, 996)]
)
def test_of_each_kind_of_change_a_few_lines_are_shown(count: int, lines: int, more: int) -> None:
    text = run_summary(changes(count, "edited", is_first=False))
    assert text.count("“Post ") == lines
    assert (f"… and {more} more" in text) is bool(more)
    assert ("archiver browse, under Runs" in text) is bool(more)


def test_an_account_that_is_new_has_one_line_for_all_its_omitted_files() -> None:
    text = run_summary(changes(121, "omitted", is_first=True))
    assert "“Post" not in text
    assert "omitted  acme  121 files (copyright)" in click.unstyle(text)


def test_what_went_wrong_is_all_that_is_said_where_quiet_was_asked_for() -> None:
    fine = changes(50, "edited", is_first=False)
    assert not has_trouble(fine)
    assert not has_trouble(report(Counts(got=9, new=9, edited=1, removed=2, stored=5, omitted=1)))
    assert has_trouble(report(Counts(got=9, failed=1)))
    assert has_trouble(report(Counts(got=9), notes=["The clock is wrong"]))
    text = click.unstyle(trouble_summary(refused("one", others=2)))
    assert text.startswith("Error: one: The key is wrong")
    assert "fine" not in text


def test_many_reasons_why_files_failed_are_cut_and_the_rest_is_counted() -> None:
    failures = [FileFailure("acme", "failed", f"reason {number}", 2) for number in range(15)]
    text = run_summary(report(Counts(got=9, failed=30), file_failures=failures))
    assert "reason 9" in text
    assert "reason 10" not in text
    assert "… and 10 more files: archiver status" in text
