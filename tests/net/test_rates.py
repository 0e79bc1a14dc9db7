"""What is left of a rate limit, in every way that servers write it."""

from datetime import UTC, datetime

import pytest

from archiver.models import RateLimitPolicy
from archiver.net.rates import Quota, quota_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOTHING = RateLimitPolicy()


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        ({"ratelimit-limit": "3000", "ratelimit-remaining": "2", "ratelimit-reset": "60"},
         Quota(2, 3000, 60.0)),
        ({"ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "9", "ratelimit-reset": "7"},
         Quota(9, 100, 7.0)),
        ({"ratelimit-limit": "3000", "ratelimit-remaining": "2", "ratelimit-reset": "1795435300"},
         Quota(2, 3000, 100.0)),
        ({"x-ratelimit-limit": "300", "x-ratelimit-remaining": "0",
          "x-ratelimit-reset": "2026-11-23T12:05:00.000000Z"}, Quota(0, 300, 300.0)),
        ({"x-ratelimit-limit": "300", "x-ratelimit-remaining": "0",
          "x-ratelimit-reset": "1795435500000"}, Quota(0, 300, 300.0)),
        ({"x-rate-limit-limit": "15", "x-rate-limit-remaining": "1",
          "x-rate-limit-reset": "1795435210"}, Quota(1, 15, 10.0)),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "Mon, 23 Nov 2026 12:01:00 GMT"},
         Quota(5, None, 60.0)),
        ({"ratelimit": "limit=100, remaining=50, reset=30"}, Quota(50, 100, 30.0)),
        ({"ratelimit": '"default";r=50;t=30', "ratelimit-policy": '"default";q=100;w=60'},
         Quota(50, 100, 30.0)),
        ({"ratelimit": '"day";r=900;t=9, "min";r=3',
          "ratelimit-policy": '"day";q=1000;w=99,"min";q=10;w=60'}, Quota(3, 10, 60.0)),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "soon"}, Quota(5, None, None)),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "2026-11-23T11:00:00Z"},
         Quota(5, None, 0.0)),
    ],
)  # fmt: skip
def test_the_usual_fields_are_known(headers: dict[str, str], quota: Quota) -> None:
    assert quota_of(headers, NOTHING, NOW) == quota


def test_a_reset_is_measured_by_the_clock_of_the_server() -> None:
    headers = {
        "x-ratelimit-remaining": "1",
        "x-ratelimit-reset": "2026-11-23T10:00:30Z",
        "date": "Mon, 23 Nov 2026 10:00:00 GMT",
    }
    assert quota_of(headers, NOTHING, NOW) == Quota(1, None, 30.0)


def test_a_source_may_name_its_own_fields() -> None:
    policy = RateLimitPolicy(limit="x-most", used="x-made", reset="x-again")
    headers = {"x-most": "300", "x-made": "290", "x-again": "12"}
    assert quota_of(headers, policy, NOW) == Quota(10, 300, 12.0)


def test_of_several_quotas_the_smallest_counts() -> None:
    policy = RateLimitPolicy(limit="x-day-limit", remaining="x-day-left")
    headers = {"x-day-limit": "5000", "x-day-left": "3", "x-ratelimit-remaining": "90"}
    assert quota_of(headers, policy, NOW) == Quota(3, 5000, None)


@pytest.mark.parametrize("value", ["", "-5", "many", "1e3", "9" * 40, "½"])
def test_what_is_no_number_is_ignored(value: str) -> None:
    assert quota_of({"x-ratelimit-remaining": value, "ratelimit": value}, NOTHING, NOW) is None


@pytest.mark.parametrize(
    ("quota", "low"),
    [
        (Quota(30, 300, None), True),
        (Quota(31, 300, None), False),
        (Quota(9, None, None), True),
        (Quota(10, None, None), False),
    ],
)
def test_a_quota_is_low_when_nine_tenths_are_used(quota: Quota, low: bool) -> None:
    assert quota.is_low is low
