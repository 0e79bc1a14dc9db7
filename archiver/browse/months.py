"""Years, months and days as they stand in URLs, and in words."""

import re
from datetime import date
from functools import lru_cache

NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


@lru_cache(4096)  # pages ask it for every month of every account
def is_month(text: str) -> bool:
    """Whether this is a month, such as 2026-03. A damaged row may have any other text there."""
    return _MONTH.fullmatch(text) is not None


def is_day(text: str) -> bool:
    """Whether this is a day that exists, such as 2026-03-14."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@lru_cache(4096)
def in_words(text: str) -> str:
    """2026, March 2026 or 14 March 2026; the text as it is where it is none of these."""
    if not is_month(text[:7]):
        return text
    name = f"{NAMES[int(text[5:7]) - 1]} {text[:4]}"
    return f"{int(text[8:])} {name}" if is_day(text) else name


def period(since: str, until: str) -> str:
    """A range of dates in words, both ends included; empty for all time."""
    if since == until:
        return in_words(since)
    if since and until:
        return f"{in_words(since)} to {in_words(until)}"
    return f"since {in_words(since)}" if since else f"until {in_words(until)}"
