"""Sizes, counts, times and names in words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.human import ago, counted, parse_time, plain_name, size_text

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"), (999, "999 B"), (999.4, "999 B"), (1_000, "1.0 kB"), (1_234, "1.2 kB"),
        (9_940, "9.9 kB"), (9_960, "10 kB"), (999_499, "999 kB"), (999_500, "1.0 MB"),
        (34_000_000, "34 MB"), (5_600_000_000, "5.6 GB"), (1_234_000_000_000, "1.2 TB"),
        (1_234_000_000_000_000, "1,234.0 TB"),
    ],
)  # fmt: skip
def test_a_size_has_the_unit_that_fits(size: float, text: str) -> None:
    assert size_text(size) == text


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_a_larger_size_never_reads_as_a_smaller_one(one: int, other: int) -> None:
    small, large = (_value(size_text(size)) for size in sorted((one, other)))
    assert small <= large


def _value(text: str) -> float:
    number, unit = text.replace(",", "").split()
    return float(number) * 1000.0 ** ["B", "kB", "MB", "GB", "TB"].index(unit)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 tries"), (1, "1 try"), (2, "2 tries"), (12_345, "12,345 tries")]
)
def test_things_are_counted_in_their_number(count: int, text: str) -> None:
    assert counted(count, "try", "tries") == text


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(0), "just now"), (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"), (timedelta(minutes=119), "1 hour ago"),
        (timedelta(hours=47), "1 day ago"), (timedelta(days=400), "400 days ago"),
        (-timedelta(minutes=4), "just now"), (-timedelta(hours=1), "in the future"),
    ],
)  # fmt: skip
def test_a_time_is_shown_as_how_long_ago_it_was(passed: timedelta, text: str) -> None:
    assert ago((NOW - passed).isoformat(), NOW, advise=False) == text


def test_a_moment_in_the_future_comes_with_advice() -> None:
    assert ago("2030-01-01T00:00:00Z", NOW) == "in the future: check the clock"


@pytest.mark.parametrize("moment", [None, ""])
def test_what_never_was_is_said_so(moment: str | None) -> None:
    assert ago(moment, NOW) == "never"


@given(st.text(min_size=1))
def test_any_text_in_place_of_a_time_is_shown(moment: str) -> None:
    assert ago(moment, NOW)


def test_a_time_without_a_zone_is_utc() -> None:
    assert parse_time("2026-11-23T12:00:00") == NOW


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Acme", "acme"), ("  Sören & Çelik, Ltd. ", "soren-celik-ltd"), ("a__b--c", "a-b-c"),
        ("ｆｕｌｌ 7", "full-7"), ("日本", ""), ("", ""), ("\x1b[31m", "31m"),
    ],
)  # fmt: skip
def test_a_name_has_letters_and_digits_that_are_easy_to_type(text: str, name: str) -> None:
    assert plain_name(text) == name
