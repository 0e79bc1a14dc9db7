"""What a field of a record is taken for. Each function takes anything, and raises nothing.

A platform may write any type where another was promised. What is not what it should be is None
here, and stays in the record.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from archiver import timestamp

T = TypeVar("T")

_URL = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,9})?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})(?:\.\d+)?", re.ASCII)
_SIGNATURE = re.compile(  # of Meta, TikTok, Amazon and Google addresses
    r"(oe|oh|edm|ccb|_nc_\w*|x-[\w-]+|expires|signature|sig|policy|key-pair-id)=", re.IGNORECASE
)
_LONGEST_ID = 1000  # characters; the longest known are AT URIs of about 100
_LARGEST = 2**63 - 1  # what an SQLite INTEGER holds
_LARGEST_SIZE = 2**31 - 1
_DEEPEST_CONTENT = 4

_NOTHING: dict[str, Any] = {}


def object_of(value: object) -> dict[str, Any]:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else _NOTHING


def list_of(value: object) -> list[Any]:
    """The list itself, or an empty one."""
    return value if isinstance(value, list) else []


def text_of(value: object) -> str | None:
    """Text with something in it, exactly; only lone surrogates, which no file holds, give way."""
    if not isinstance(value, str) or not value or value.isspace():
        return None
    return value if value.isascii() else _storable(value)


def _storable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def word_of(value: object) -> str:
    """A word of a fixed vocabulary, in lower case; empty where there is none."""
    return value.lower() if isinstance(value, str) else ""


def id_of(value: object) -> str | None:
    """An id as exact text; whole numbers keep their digits."""
    if isinstance(value, str):
        usable = 0 < len(value) <= _LONGEST_ID and not value.isspace() and _storable(value) == value
        return value if usable else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 <= value < 10**40 else None
    return None


def number_of(value: object) -> int | float | None:
    """A finite number that a database holds; plain digits in text count, "1.2K" does not."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if -_LARGEST <= value <= _LARGEST else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return None


def size_of(value: object) -> int | None:
    """A length in pixels, or a rate in bits: a whole number above 0."""
    number = number_of(value)
    return int(number) if number is not None and 1 <= number <= _LARGEST_SIZE else None


def milliseconds(value: object, unit: int = 1) -> int | None:
    """A duration in ms, given how many ms the platform's unit has; None where it says 0."""
    number = number_of(value)
    if number is None or not 0 < number <= _LARGEST_SIZE:
        return None
    return round(number * unit) or None


def clock_milliseconds(value: object) -> int | None:
    """A duration as on a player's clock, `00:07` or `1:02:03`, in ms."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 or None


def url_of(value: object) -> str | None:
    """An http or https URL."""
    if isinstance(value, str) and _URL.match(value):
        return value if value.isascii() else _storable(value)
    return None


def time_of(value: object) -> str | None:
    """A time in the archive's form."""
    return None if value is None else timestamp(value)


def dig(record: Mapping[str, Any], steps: Sequence[str]) -> Any:
    """The value under nested keys, or None."""
    value: Any = record
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def first(
    record: Mapping[str, Any], keys: Sequence[str], take: Callable[[object], T | None]
) -> T | None:
    """The first of several spellings of a field that holds what it should."""
    for key in keys:
        value = record.get(key)
        if value is not None and (taken := take(value)) is not None:
            return taken
    return None


def content_of(value: object, depth: int = 0) -> Any:
    """A value as content: text, whole numbers, truth values, lists and mappings of these.

    Numbers with a fraction are left out, and the signatures of URLs.
    """
    if isinstance(value, str):
        return unsigned(text) if (text := text_of(value)) else None
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return number_of(value)
    found: Any = None
    if isinstance(value, list) and depth < _DEEPEST_CONTENT:
        items = (content_of(item, depth + 1) for item in value)
        found = [item for item in items if item is not None]
    elif isinstance(value, dict) and depth < _DEEPEST_CONTENT:
        pairs = ((_storable(key), content_of(item, depth + 1)) for key, item in value.items())
        found = {key: item for key, item in pairs if item is not None}
    return found or None


def unsigned(text: str) -> str:
    """A URL without the parameters that sign it or let it expire; other text as it is."""
    if "?" not in text or not _URL.match(text):
        return text
    address, _, query = text.partition("?")
    kept = "&".join(part for part in query.split("&") if not _SIGNATURE.match(part))
    return f"{address}?{kept}" if kept else address
