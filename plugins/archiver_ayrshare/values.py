"""Converts values of records. The functions accept any JSON value and raise nothing.

A platform may send any type where another is documented. None stands for what is absent, null or
not understood; `forms` tells these apart, so that what is not understood is reported as unmapped.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from archiver import timestamp
from archiver_ayrshare.addresses import content_text, content_url, encodable, url_of

T = TypeVar("T")

_MAX_ID = 1000  # characters; the longest known are AT URIs of about 100
_LARGEST = 2**63 - 1  # what an SQLite INTEGER holds
_MAX_DEPTH = 4
_FLAGS = {"true": True, "1": True, "false": False, "0": False}

_EMPTY_OBJECT: dict[str, Any] = {}


def object_of(value: object) -> dict[str, Any]:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else _EMPTY_OBJECT


def list_of(value: object) -> list[Any]:
    """The list itself; an object in its place is a list of one, or one numbered from "0" on."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or not value:
        return []
    return [*value.values()] if is_numbered(value) else [value]


def is_numbered(value: Mapping[str, Any]) -> bool:
    """Whether an object is a list in the form of PHP arrays: `{"0": …, "1": …}`."""
    return "0" in value and all(key == str(index) for index, key in enumerate(value))


def text_of(value: object) -> str | None:
    """Text that is not blank, unchanged but for lone surrogates, which cannot be encoded.

    A number or a truth value becomes its JSON text.
    """
    if isinstance(value, str):
        if not value or value.isspace():
            return None
        return value if value.isascii() else encodable(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return digits(value) if isinstance(value, int) else repr(value)
    return None


def digits(number: int) -> str | None:
    """A whole number in decimal; None where it is implausibly long."""
    return str(number) if -(10**40) < number < 10**40 else None


def name_of(value: object) -> str | None:
    """A name: text, or a whole number, as some handles are."""
    return None if isinstance(value, bool | float) else text_of(value)


def word_of(value: object) -> str:
    """A word of a fixed vocabulary, in lower case; empty where there is none."""
    return value.strip().lower() if isinstance(value, str) else ""


def flag_of(value: object) -> bool | None:
    """A truth value, also where it is written as text or as 0 and 1."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _FLAGS.get(str(value)) if 0 <= value <= 1 else None
    return _FLAGS.get(value.strip().lower()) if isinstance(value, str) else None


def id_of(value: object) -> str | None:
    """An id as exact text; whole numbers keep their digits."""
    if isinstance(value, str):
        usable = 0 < len(value) <= _MAX_ID and not value.isspace() and encodable(value) == value
        return value if usable else None
    if isinstance(value, int) and not isinstance(value, bool):
        return digits(value) if value >= 0 else None
    return None


@lru_cache(maxsize=256)
def _time_of_text(value: str) -> str | None:
    return timestamp(value)


def time_of(value: object) -> str | None:
    """A time in the archive's form."""
    if isinstance(value, str):
        return _time_of_text(value)
    return None if value is None else timestamp(value)


def is_blank(value: object) -> bool:
    """Whether a value counts as absent: null, or text without a visible character."""
    return value is None or (isinstance(value, str) and (not value or value.isspace()))


def dig(record: Mapping[str, Any], steps: Sequence[str]) -> Any:
    """The value under nested keys, or None."""
    value: Any = record
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def first(
    record: Mapping[str, Any], keys: Sequence[str], parse: Callable[[object], T | None]
) -> T | None:
    """The first field of several that has a value which `parse` understands."""
    for key in keys:
        value = record.get(key)
        if value is not None and (parsed := parse(value)) is not None:
            return parsed
    return None


def content_of(value: object, depth: int = 0) -> Any:
    """A value as content: text, whole numbers, truth values, lists and mappings of these.

    Numbers with a fraction are left out. Links are unwrapped, see `comparable`.
    """
    if isinstance(value, str):
        text = text_of(value)
        return text and comparable(text)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_LARGEST <= value <= _LARGEST else digits(value)
    found: Any = None
    if isinstance(value, list) and depth < _MAX_DEPTH:
        items = (content_of(item, depth + 1) for item in value)
        found = [item for item in items if item is not None]
    elif isinstance(value, dict) and depth < _MAX_DEPTH:
        pairs = ((encodable(key), content_of(item, depth + 1)) for key, item in value.items())
        found = {key: item for key, item in pairs if item is not None}
    return found or None


def comparable(text: str) -> str:
    """Text for comparing: its links are unwrapped, without signatures and click identifiers."""
    if "://" not in text:
        return text
    if text.startswith(("https://", "http://")) and " " not in text and (url := url_of(text)):
        return content_url(url)
    return content_text(text)
