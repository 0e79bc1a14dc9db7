"""Values of records, converted. Each function accepts any JSON value and raises nothing.

None stands for what is absent, null or not of the right form.
"""

from collections.abc import Collection, Mapping
from typing import Any

from archiver import BadUrl, normalize_url, write_json

_LONGEST_ID = 300  # characters
_MOST = 2**63 - 1
_NOTHING: dict[str, Any] = {}


def text_of(value: object) -> str | None:
    """Text that is not blank."""
    return value if isinstance(value, str) and value.strip() else None


def id_of(value: object) -> str | None:
    """An id as text, also where it is written as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value >= 0 else None
    if isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_ID:
        return value.strip()
    return None


def number_of(value: object) -> int | None:
    """A whole number that is not negative; exports write many numbers as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MOST else None


def size_of(value: object) -> int | None:
    """A size or duration: a whole number above 0."""
    return number_of(value) or None


def url_of(value: object) -> str | None:
    """A web address, normalised."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return normalize_url(value)
    except BadUrl:
        return None


def object_of(value: object) -> dict[str, Any]:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else _NOTHING


def objects_of(value: object) -> list[dict[str, Any]]:
    """The objects of a list; one that stands alone is a list of one."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def with_record(raw: str, **more: Any) -> str:
    """JSON with a record, unchanged, under `record`, and beside it what of `more` is not empty."""
    added = "".join(
        f",{write_json(name)}:{write_json(value)}" for name, value in more.items() if value
    )
    return f'{{"record":{raw}{added}}}'


def unknown_keys(found: Mapping[str, Any], known: Collection[str], path: str = "") -> list[str]:
    """The paths of those fields of an object that are not known and not empty."""
    return [
        f"{path}{key}"[:200]
        for key, value in found.items()
        if key not in known and value not in (None, "", [], {})
    ]
