"""When to try again."""

import math
import ssl
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.net.retry import backoff, is_certificate_error, retry_after

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0), (" 7 ", 7.0), ("0", 0.0), ("1.5", 1.5), ("99999999999", 3600.0),
        ("120, 60", 120.0), ("-5", None), ("1e3", None), ("", None), ("soon", None),
        ("١٢", None), ("NaN", None), ("inf", None), ("0x10", None), ("+5", None),
        ("Mon, 23 Nov 2026 12:02:00 GMT", 120.0), ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0), ("Mon, 99 Nov 2026 12:02:00 GMT", None),
        ("Mon, 23 Nov 2026 14:02:00 +0200", 120.0),
    ],
)  # fmt: skip
def test_retry_after_in_all_spellings(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_a_date_is_measured_against_the_servers_own() -> None:
    headers = {
        "retry-after": "Mon, 23 Nov 2020 00:01:00 GMT",
        "date": "Mon, 23 Nov 2020 00:00:00 GMT",
    }
    assert retry_after(headers, NOW) == 60.0
    assert retry_after({**headers, "date": "yesterday"}, NOW) == 0.0


def test_no_header_is_no_wish() -> None:
    assert retry_after({}, NOW) is None


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_no_header_leads_to_a_wait_without_end(value: str, date: str) -> None:
    seconds = retry_after({"retry-after": value, "date": date}, NOW)
    assert seconds is None or (0 <= seconds <= 3600 and not math.isnan(seconds))


def test_backoff_grows_to_its_cap_and_is_jittered() -> None:
    assert [backoff(n, base=2, cap=30, jitter=lambda: 1.0) for n in (1, 2, 3, 4, 5, 99)] == [
        2, 4, 8, 16, 30, 30,
    ]  # fmt: skip
    assert backoff(5, jitter=lambda: 0.0) == 0.0


def test_certificate_errors_are_found_behind_others() -> None:
    outer = RuntimeError()
    outer.__cause__ = ssl.SSLCertVerificationError()
    assert is_certificate_error(outer)
    assert not is_certificate_error(RuntimeError())
