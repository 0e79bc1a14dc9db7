"""TIDs: identifiers that are a time (https://atproto.com/specs/tid)."""

import re
from datetime import UTC, datetime, timedelta

_FORM = re.compile(r"[2-7a-j][2-7a-z]{12}", re.ASCII)
_LETTERS = {letter: value for value, letter in enumerate("234567abcdefghijklmnopqrstuvwxyz")}
_CLOCK_BITS = 10


def is_tid(text: object) -> bool:
    """Whether this is a TID: 13 letters of sortable base 32."""
    return isinstance(text, str) and _FORM.fullmatch(text) is not None


def time_of(tid: str) -> datetime:
    """The time that a TID stands for, in UTC."""
    number = 0
    for letter in tid:
        number = number << 5 | _LETTERS[letter]
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=number >> _CLOCK_BITS)
