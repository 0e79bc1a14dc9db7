"""Counts, sizes and durations, in every form that occurs, and in none that does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver_ayrshare.numbers import count_of, duration_of, milliseconds, size_of, whole_of

LARGEST = 2**63 - 1
COUNTS = st.integers(0, LARGEST)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0), (12, 12), (12.0, 12), (0.25, 0.25), ("12", 12), (" 12 ", 12), ("0012", 12),
        ("1,234", 1234), ("1,234,567", 1234567), ("1 234", 1234), ("1\u202f234", 1234),
        ("1'234", 1234), ("1,234.5", 1234.5), ("1.2K", 1200), ("1.2k", 1200), ("3M", 3000000),
        ("1.25 B", 1250000000), ("0.6666", 0.6666), ("1.0005K", 1000.5), (LARGEST, LARGEST),
        (str(LARGEST), LARGEST),
    ],
)  # fmt: skip
def test_a_count_is_read(value: Any, expected: float) -> None:
    found = count_of(value)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    "value",
    [
        -1, -0.5, "-1", 2**63, str(2**63), 10**30, 1e300, float("nan"), float("inf"), "9" * 30,
        "10000000000B", "1,23", "1,2345", "0,123", "1,234'567", "1.234.567", "1.2X", "K", "12.",
        ".5", "1e3", "+5", "\u0661\u0662", "a lot", "", " ", True, False, None, [], {}, [1],
    ],
)  # fmt: skip
def test_what_is_no_count_is_none(value: Any) -> None:
    assert count_of(value) is None


@given(COUNTS)
def test_a_count_is_the_same_in_every_spelling(number: int) -> None:
    grouped = f"{number:,}"
    spellings = [number, str(number), f"  {number}\n", grouped]
    spellings += [grouped.replace(",", mark) for mark in (" ", "\u00a0", "\u202f", "'", "\u2019")]
    assert {count_of(spelling) for spelling in spellings} == {number}


@given(st.integers(0, 9999), st.sampled_from("KkMmBb"))
def test_a_short_count_is_what_it_stands_for(tenths: int, unit: str) -> None:
    scale = {"K": 10**3, "M": 10**6, "B": 10**9}[unit.upper()]
    assert count_of(f"{tenths / 10:.1f}{unit}") == tenths * scale // 10


@given(st.integers(min_value=1))
def test_a_negative_count_is_no_count(number: int) -> None:
    assert count_of(-number) is None
    assert count_of(f"-{number}") is None


@given(st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none()))
def test_whatever_comes_a_count_fits_a_database(value: Any) -> None:
    found = count_of(value)
    assert found is None or 0 <= found <= LARGEST


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("PT1H2M3S", 3_723_000), ("PT7S", 7_000), ("PT1.5S", 1_500), ("PT1,5S", 1_500),
        ("P1DT1S", 86_401_000), ("P2W", 1_209_600_000), ("pt10m", 600_000), ("PT90M", 5_400_000),
        ("00:07", 7_000), ("1:02:03", 3_723_000), ("12.5s", 12_500), ("300 ms", 300),
        (11.332, 11_332), ("11.332", 11_332), (" 7 ", 7_000), ("PT0S", 0), ("P0D", 0), (0, 0),
    ],
)  # fmt: skip
def test_a_duration_is_read(value: Any, expected: int) -> None:
    assert duration_of(value, 1000) == expected
    assert milliseconds(value, 1000) == (expected or None)


@pytest.mark.parametrize(
    "value",
    ["P", "PT", "P1Y", "P1M", "P1DT", "PT1", "-PT1S", "1:99", "-1", -1, 2**40, "1 hour", "", True,
     None, float("nan"), [], {}],
)  # fmt: skip
def test_what_is_no_duration_is_none(value: Any) -> None:
    assert duration_of(value, 1000) is None


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_same_in_every_spelling(hours: int, minutes: int, seconds: int) -> None:
    whole = (hours * 60 + minutes) * 60 + seconds
    spellings = [
        f"PT{hours}H{minutes}M{seconds}S", f"PT{whole}S", f"{hours}:{minutes:02}:{seconds:02}",
        f"{whole}s", f"{whole * 1000}ms", whole, str(whole), float(whole),
    ]  # fmt: skip
    assert {duration_of(spelling, 1000) for spelling in spellings} == {whole * 1000}


def test_a_size_above_nothing_or_none() -> None:
    assert [size_of(value) for value in (720, "720", " 720 ", 720.0, 0, "0")] == [720] * 4 + [
        None
    ] * 2
    assert [whole_of(value) for value in (0, "0", -1, "720px", 2**31, "1K", True)] == [
        0, 0, None, None, None, None, None
    ]  # fmt: skip
