"""The words and the last line of a run's report."""

from typing import Any

import pytest

from archiver.archive.runs import Counts
from archiver.cli.summary import count_line, is_quiet, run_summary
from archiver.report import AccountReport, FileFailure, RunReport


def report(counts: Counts, **fields: Any) -> RunReport:
    """The report of a run over one account."""
    return RunReport(
        "2026-01-01T00:00:00.000Z",
        accounts=[AccountReport("acme", "threads", counts=counts)],
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
    assert is_quiet(made)
    assert run_summary(made).splitlines() == [
        "Nothing new on 1 account.", "",
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
