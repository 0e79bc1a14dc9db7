"""When to retry: `Retry-After`, backoff, and failures for which a retry is useless."""

import random
import re
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 3600.0

_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds the server asks us to wait (RFC 9110 section 10.2.3), 0 to 3600.

    A date is measured against the server's own `Date`, so that a wrong clock on either side does
    not matter; one that has passed is 0. Of several values the longest counts. None for nothing
    and for what is neither a number nor a date (`-5`, `1e3`, `soon`). `headers` finds names
    whatever their case.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    numbers = [part.strip() for part in value.split(",")]
    if all(_SECONDS.fullmatch(number) for number in numbers):
        return min(max(float(number) for number in numbers), LONGEST_WAIT)
    moment = http_date(value)
    if moment is None:
        return None
    seconds = (moment - (http_date(headers.get("date", "")) or now)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)


def backoff(
    failures: int,
    *,
    base: float = 1.0,
    cap: float = 60.0,
    jitter: Callable[[], float] = random.random,
) -> float:
    """Seconds to wait after so many failures in a row: exponential, with full jitter.

    Everything between 0 and the bound is equally likely, so that clients which failed together do
    not come back together.
    """
    return jitter() * min(cap, base * 2.0 ** min(failures - 1, 30))


def is_certificate_error(error: BaseException) -> bool:
    """Whether a connection failed for its certificate, so that a retry would fail too."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def http_date(text: str) -> datetime | None:
    """A time as HTTP headers have it; None if it is not one."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
