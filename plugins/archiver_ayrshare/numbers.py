"""Parses counts, sizes and durations. The functions raise nothing.

None stands for a value that is not understood. A value that is understood as "unknown" (a width of
0, a duration of `PT0S`) is 0.
"""

import math
import re
from decimal import Decimal

_LARGEST = 2**63 - 1  # what an SQLite INTEGER holds
_LARGEST_SIZE = 2**31 - 1
_SECOND = 1000  # ms

_GROUP_MARKS = ", \N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}'\u2019"
_COUNT = re.compile(
    rf"(?P<whole>\d{{1,19}}|[1-9]\d{{0,2}}(?P<mark>[{_GROUP_MARKS}])\d{{3}}(?:(?P=mark)\d{{3}})*)"
    r"(?P<fraction>\.\d{1,20})?"
    r"(?:\s?(?P<unit>[KMB]))?",
    re.ASCII | re.IGNORECASE,
)
_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9}
_PLAIN = re.compile(r"\d{1,18}(?:\.\d{1,20})?", re.ASCII)

_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):([0-5]?\d)(?:\.\d+)?", re.ASCII)
_AMOUNT = r"(\d{1,9}(?:[.,]\d{1,9})?)"
_ISO_DURATION = re.compile(
    rf"P(?=[\dT])(?:{_AMOUNT}W)?(?:{_AMOUNT}D)?"
    rf"(?:T(?=\d)(?:{_AMOUNT}H)?(?:{_AMOUNT}M)?(?:{_AMOUNT}S)?)?",
    re.ASCII | re.IGNORECASE,
)  # ISO 8601 without years and months, which have no fixed length
_ISO_SECONDS = (7 * 86_400, 86_400, 3_600, 60, 1)
_WITH_UNIT = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s?(ms|s)", re.ASCII | re.IGNORECASE)


def count_of(value: object) -> int | float | None:
    """A count or a rate: finite, not negative, and no larger than a database holds.

    Text may group thousands (`1,234`) and shorten them (`1.2K`, `3M`).
    """
    if isinstance(value, int):
        return value if 0 <= value <= _LARGEST and not isinstance(value, bool) else None
    if isinstance(value, float):
        return _finite(value)
    return _written_count(value) if isinstance(value, str) else None


def _finite(value: float) -> int | float | None:
    if not math.isfinite(value) or value < 0:
        return None
    if value.is_integer():
        return int(value) if value <= _LARGEST else None
    return value


def _written_count(text: str) -> int | float | None:
    match = _COUNT.fullmatch(text.strip())
    if match is None:
        return None
    whole = "".join(filter(str.isdigit, match["whole"]))
    number = Decimal(whole + (match["fraction"] or "")) * _UNITS.get(
        (match["unit"] or "").upper(), 1
    )
    if number > _LARGEST:
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def whole_of(value: object) -> int | None:
    """A length in pixels or a rate in bits: a whole number; 0 where it is not known."""
    number = _plain_number(value)
    return int(number) if number is not None and number <= _LARGEST_SIZE else None


def size_of(value: object) -> int | None:
    """A length in pixels or a rate in bits, above 0."""
    return whole_of(value) or None


def duration_of(value: object, unit: int = 1) -> int | None:
    """A duration in ms, given how many ms the platform's unit has; 0 where it says so.

    Text may say its own unit: ISO 8601 (`PT1H2M3S`), a player's clock (`1:02:03`), `12.5s`.
    """
    number = _plain_number(value)
    if number is not None:
        return round(number * unit) if number <= _LARGEST_SIZE else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    seconds: float | None = _clock_seconds(text)
    if seconds is None:
        seconds = _iso_seconds(text)
    if seconds is None and (match := _WITH_UNIT.fullmatch(text)):
        seconds = float(match[1]) / (1 if match[2].lower() == "s" else _SECOND)
    if seconds is None or seconds > _LARGEST_SIZE:
        return None
    return round(seconds * _SECOND)


def milliseconds(value: object, unit: int = 1) -> int | None:
    """A duration in ms, above 0, given how many ms the platform's unit has."""
    return duration_of(value, unit) or None


def clock_milliseconds(value: object) -> int | None:
    """A duration as on a player's clock, `00:07` or `1:02:03`, in ms, above 0."""
    seconds = _clock_seconds(value.strip()) if isinstance(value, str) else None
    return seconds * _SECOND or None if seconds is not None else None


def _plain_number(value: object) -> int | float | None:
    """A number that is not negative, as itself or in plain digits."""
    if isinstance(value, str):
        text = value.strip()
        return float(text) if _PLAIN.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= _LARGEST else None  # NaN is not, either


def _clock_seconds(text: str) -> int | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return (hours * 60 + minutes) * 60 + seconds


def _iso_seconds(text: str) -> float | None:
    match = _ISO_DURATION.fullmatch(text)
    if match is None:
        return None
    amounts = (float((part or "0").replace(",", ".")) for part in match.groups())
    return sum(amount * length for amount, length in zip(amounts, _ISO_SECONDS, strict=True))
