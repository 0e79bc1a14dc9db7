"""Dates of URLs, in words."""

import pytest

from archiver.browse.months import in_words, is_day, is_month, period


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026", "2026"),
        ("2026-03", "March 2026"),
        ("2026-03-04", "4 March 2026"),
        ("2026-13", "2026-13"),
        ("R2026-0", "R2026-0"),
        ("", ""),
    ],
)
def test_a_date_is_written_out_and_a_damaged_one_shown_as_it_is(text: str, said: str) -> None:
    assert in_words(text) == said


def test_a_period_without_an_end_says_from_or_to_when() -> None:
    assert period("2026-03", "") == "since March 2026"
    assert period("", "2026") == "until 2026"
    assert period("", "") == ""


def test_only_days_and_months_that_exist_are_such() -> None:
    assert is_day("2024-02-29")
    assert not is_day("2023-02-29")
    assert not is_day("2023-2-9")
    assert is_month("2023-02")
    assert not is_month("2023-00")
    assert not is_month("٢٠٢٣-٠٢")
