"""How much of a rate limit is left, as servers say it in their headers, each in its own way.

Known are the fields of draft-ietf-httpapi-ratelimit-headers in all its forms (`RateLimit` as one
field or as three), the `X-RateLimit-*` and `X-Rate-Limit-*` that came before, and what a source
names in its `RateLimitPolicy`. A reset is written as seconds from now, as seconds since 1970, or as
a time.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from archiver.models import RateLimitPolicy, timestamp
from archiver.net.retry import http_date

_PREFIXES = ("ratelimit-", "x-ratelimit-", "x-rate-limit-")
_FIELDS = ("limit", "remaining", "reset")
_LEADING_NUMBER = re.compile(r"\s*(\d{1,11})\s*(?:[,;]|$)", re.ASCII)
_PARAMETER = re.compile(r"\b(limit|remaining|reset|q|r|t|w)=(\d{1,11})(?!\d)", re.ASCII)
_SECONDS = re.compile(r"\d{1,13}(\.\d{1,9})?", re.ASCII)
_EPOCH_FROM = 1_000_000_000  # as seconds from now, 32 years
_FEW = 10

HEADERS = frozenset(
    {"ratelimit", "ratelimit-policy", *(f"{p}{name}" for p in _PREFIXES for name in _FIELDS)}
)
"""The headers that are read whatever a policy names."""


class SharedLimits(Protocol):
    """Counts the requests of all programs that share limits, such as the workers of a fleet."""

    async def reserve(self, key: str, most: int | None, window: float, longest: float) -> float:
        """Reserve one request; how many seconds to wait before it is made.

        `most` requests are allowed in `window` seconds; None: not known by the caller. Where the
        wait would be more than `longest` seconds, nothing is reserved.
        """

    async def pause(self, key: str, seconds: float) -> None:
        """Have everybody make no request for so long, since the source asks for that."""


class Quota(Struct, frozen=True):
    """How many requests are `left` of `most` (None: not said), and the seconds to the reset."""

    left: int
    most: int | None
    reset: float | None

    @property
    def is_low(self) -> bool:
        """Whether nine tenths are used; a few left, where it is not said of how many."""
        return self.left * 10 <= self.most if self.most else self.left < _FEW


def quota_of(headers: Mapping[str, str], policy: RateLimitPolicy, now: datetime) -> Quota | None:
    """The smallest quota that the headers of an answer state; None where they state none.

    `headers` finds names whatever their case.
    """
    found = list(_quotas(headers, policy, _their_time(headers, now)))
    return min(found, key=lambda quota: quota.left, default=None)


def _quotas(headers: Mapping[str, str], policy: RateLimitPolicy, now: datetime) -> Iterator[Quota]:
    yield from _named(headers, policy, now)
    yield from _in_one_field(headers)
    for prefix in _PREFIXES:
        left = _number(headers.get(f"{prefix}remaining"))
        if left is not None:
            most = _number(headers.get(f"{prefix}limit"))
            yield Quota(left, most, _reset(headers.get(f"{prefix}reset"), now))


def _named(headers: Mapping[str, str], policy: RateLimitPolicy, now: datetime) -> Iterator[Quota]:
    most = _number(headers.get(policy.limit)) if policy.limit else None
    left = _number(headers.get(policy.remaining)) if policy.remaining else None
    used = _number(headers.get(policy.used)) if policy.used else None
    if left is None and used is not None and most:
        left = max(most - used, 0)
    if left is not None:
        reset = _reset(headers.get(policy.reset), now) if policy.reset else None
        yield Quota(left, most, reset)


def _in_one_field(headers: Mapping[str, str]) -> Iterator[Quota]:
    """`limit=100, remaining=50, reset=30`, and `"default";r=50;t=30` with its policy beside it."""
    text = headers.get("ratelimit")
    if not text:
        return
    policies = [_parameters(part) for part in headers.get("ratelimit-policy", "").split(",")]
    if "remaining=" in text:
        said = _parameters(text)
        if "remaining" in said:
            yield Quota(said["remaining"], said.get("limit"), _float(said.get("reset")))
        return
    for index, part in enumerate(text.split(",")):
        said = _parameters(part)
        if "r" in said:
            policy = policies[index] if index < len(policies) else {}
            yield Quota(said["r"], policy.get("q"), _float(said.get("t", policy.get("w"))))


def _parameters(text: str) -> dict[str, int]:
    return {match[1]: int(match[2]) for match in _PARAMETER.finditer(text)}


def _number(text: str | None) -> int | None:
    """The number that a field begins with: `100, 100;w=60` is 100."""
    match = _LEADING_NUMBER.match(text or "")
    return int(match[1]) if match else None


def _float(number: int | None) -> float | None:
    return None if number is None else float(number)


def _reset(text: str | None, now: datetime) -> float | None:
    """The seconds until a reset, however it is written; never below 0."""
    value = (text or "").strip()
    if not value:
        return None
    if _SECONDS.fullmatch(value) and float(value) < _EPOCH_FROM:
        return float(value)
    written = timestamp(float(value)) if _SECONDS.fullmatch(value) else timestamp(value)
    moment = datetime.fromisoformat(written) if written else http_date(value)
    return None if moment is None else max((moment - now).total_seconds(), 0.0)


def _their_time(headers: Mapping[str, str], now: datetime) -> datetime:
    """The server's own time, so that a wrong clock on either side does not matter."""
    return (http_date(headers.get("date", "")) or now).astimezone(UTC)
