"""Times in every form that says one moment, and in none that does not."""

import doctest
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import models
from archiver.models import timestamp


@pytest.mark.parametrize(
    "value",
    [
        "2022-05-20T17:26:03Z", "2022-05-20T17:26:03z", "2022-05-20t17:26:03Z",
        "2022-05-20 17:26:03", "2022-05-20T17:26:03.0Z", "2022-05-20T17:26:03.000000000Z",
        "2022-05-20T17:26:03+00:00", "2022-05-20T19:26:03+02", "2022-05-20T19:26:03+0200",
        "2022-05-20T12:56:03-04:30", "Fri, 20 May 2022 17:26:03 GMT",
        "20 May 2022 19:26:03 +0200", "Fri May 20 17:26:03 +0000 2022",
        1653067563, 1653067563000, 1653067563.0, "1653067563", "1653067563000",
        "2022-05-20 17:26:03 UTC", "2022-05-20 17:26:03 GMT", "2022-05-20 19:26:03 UTC+02:00",
        " 2022-05-20T17:26:03Z ", " 1653067563 ", "1653067563.000", "1653067563000.0",
        {"_seconds": 1653067563, "_nanoseconds": 0}, {"seconds": 1653067563, "nanos": 0},
        {"_seconds": 1653067563}, {"seconds": "1653067563", "nanos": 0},
        {"_seconds": 1653067563, "_nanoseconds": 0, "utc": "2022-05-20T17:26:03Z"},
    ],
)  # fmt: skip
def test_one_moment(value: Any) -> None:
    assert timestamp(value) == "2022-05-20T17:26:03.000Z"


@pytest.mark.parametrize(
    "value",
    [
        "now", "yesterday", "", " ", "2022", "20220520", "2022-05-20Z", "2022-05-32",
        "05/06/2022", "20.05.2022",
        "5 minutes ago", "2022-13-01T00:00:00Z", "20 Mai 2022 17:26:03 GMT", "17:26:03",
        "Fri, 20 May 2022 17:26:03 EST", "20 May 22 17:26:03 GMT", "31 Feb 2022 00:00:00 GMT",
        "Fri, 20 May 0000 17:26:03 GMT", "165306756", "16530675630", float("nan"), float("inf"),
        1e300, True, None, [], {}, 0, 0.0, "0", -1, -1653067563, 5, 99_999_999, "0000000000",
        "0000-00-00 00:00:00", "2022-05-20 17:26:03 PST", {"_seconds": 0, "_nanoseconds": 0},
        {"_seconds": True}, {"_seconds": 1653067563, "_nanoseconds": -1}, {"_seconds": 10**30},
        {"_seconds": 1653067563000}, {"seconds": "soon"}, {"date": "2022-05-20"}, [1653067563],
    ],
)  # fmt: skip
def test_no_moment(value: Any) -> None:
    assert timestamp(value) is None


@given(st.integers(1_000_000_000, 4_000_000_000), st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_the_same_in_every_form(seconds: int, minutes: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))
    forms: list[Any] = [
        moment, elsewhere, elsewhere.isoformat(), elsewhere.isoformat(" "),
        f"{moment:%Y-%m-%d %H:%M:%S} UTC", f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        f"{moment:%Y-%m-%d %H:%M:%S}", format_datetime(moment, usegmt=True),
        format_datetime(elsewhere), seconds, float(seconds), seconds * 1000, str(seconds),
        str(seconds * 1000), {"_seconds": seconds, "_nanoseconds": 0},
    ]  # fmt: skip
    assert {timestamp(form) for form in forms} == {f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"}


@given(st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none()))
def test_whatever_comes_is_a_moment_in_the_one_form_or_none(value: Any) -> None:
    found = timestamp(value)
    assert found is None or timestamp(found) == found


@pytest.mark.parametrize("day", ["0999-12-31", "1000-01-01", "2022-02-29", "2024-02-29"])
@pytest.mark.parametrize("clock", ["00:00:00", "23:59:59", "23:59:60", "24:00:00", "17:60:03"])
@pytest.mark.parametrize("fraction", ["", ".5", ".1239999", ".000000001"])
def test_the_usual_form_is_read_as_all_others_are(day: str, clock: str, fraction: str) -> None:
    assert timestamp(f"{day}T{clock}{fraction}Z") == timestamp(f"{day} {clock}{fraction} UTC")


def test_a_date_alone_is_its_first_moment() -> None:
    assert timestamp("2022-05-20") == "2022-05-20T00:00:00.000Z"


def test_examples() -> None:
    assert doctest.testmod(models).failed == 0
