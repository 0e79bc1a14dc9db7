"""Sizes, counts, times and names as people read them: on a terminal and on pages the same."""

import re
import unicodedata
from datetime import UTC, datetime

from archiver.models import CLOCKS_AGREE


def size_text(size: float) -> str:
    """A number of bytes in the unit that fits, in steps of 1000: 999 B, 1.2 kB, 34 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            digits = 1 if unit != "B" and size < 9.95 else 0
            return f"{size:.{digits}f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """1 post, 2 posts, 12,345 posts."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def plain_name(text: str) -> str:
    """Text as a name that is easy to type: Café Çelik is cafe-celik. Empty if nothing is left.

    Lower-case ASCII letters and digits, joined by hyphens.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))


def parse_time(moment: str | None) -> datetime | None:
    """A time as the archive writes it, in UTC; None for anything else."""
    try:
        parsed = datetime.fromisoformat(moment or "")
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def ago(moment: str | None, now: datetime, *, advise: bool = True) -> str:
    """How long ago, in the largest unit that fits: 3 hours ago. Without a moment: never.

    `advise` says what to do about a moment that lies in the future.
    """
    if not moment:
        return "never"
    parsed = parse_time(moment)
    if parsed is None:  # a damaged row: verify has more to say of it
        return "at an unknown time"
    if parsed - now > CLOCKS_AGREE:
        return "in the future" + (": check the clock" if advise else "")
    seconds = max(0, int((now - parsed).total_seconds()))
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return counted(seconds // length, unit) + " ago"
    return "just now"
