"""Values of records, converted. Each function accepts any JSON value and raises nothing.

A server may write any type where another is documented. None stands for what is absent, null or
not of the right form.
"""

import math
from typing import Any

from archiver import BadUrl, normalize_url, timestamp

_MAX_INTEGER = 2**63 - 1  # what an SQLite INTEGER holds
_MAX_SIZE = 2**31 - 1
_MAX_ID_LENGTH = 1000  # characters
_NOTHING: dict[str, Any] = {}


def storable(text: str) -> str:
    """The text without lone surrogates, which UTF-8 cannot encode, and without NUL."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def text_of(value: object) -> str | None:
    """Text that is not blank."""
    if not isinstance(value, str) or not value or value.isspace():
        return None
    return storable(value)


def id_of(value: object) -> str | None:
    """An id as exact text: servers count in any way (snowflakes, ULIDs, flakes)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 <= value < 10**40 else None
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_ID_LENGTH or value.isspace():
        return None
    return value if storable(value) == value else None


def url_of(value: object) -> str | None:
    """A web address, normalised."""
    if not isinstance(value, str):
        return None
    try:
        return normalize_url(value)
    except BadUrl:
        return None


def uri_of(value: object) -> str | None:
    """An id in the form of a web address, exactly as it is written."""
    return id_of(value) if url_of(value) is not None else None


def time_of(value: object) -> str | None:
    """A time in the form of `archiver.timestamp`. Servers write it as text only."""
    return timestamp(value) if isinstance(value, str) else None


def count_of(value: object) -> int | None:
    """A count, which is never negative."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MAX_INTEGER else None


def size_of(value: object) -> int | None:
    """A width or height in pixels, or another small number; None for 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return round(value) if 0 < value <= _MAX_SIZE else None


def milliseconds_of(seconds: object) -> int | None:
    """A duration in milliseconds, from seconds."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return size_of(seconds * 1000) if math.isfinite(seconds) else None


def object_of(value: object) -> dict[str, Any]:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else _NOTHING


def objects_of(value: object) -> list[dict[str, Any]]:
    """The objects in a list; what is no object, or no list, is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
