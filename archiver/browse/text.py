"""How names, times, sizes and records are shown on pages."""

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, get_args
from urllib.parse import urlsplit

from archiver import human, metric_names
from archiver.browse import post_text
from archiver.human import parse_time, size_text
from archiver.models import Kind

KINDS: tuple[Kind, ...] = get_args(Kind)

# templates use only this module, as `fmt`
ago, counted, metric_name = human.ago, human.counted, metric_names.metric_name
rich, marked, are_shown = post_text.rich, post_text.marked, post_text.are_shown
excerpt, emoji_addresses = post_text.excerpt, post_text.emoji_addresses

_TITLES = {"linkedin": "LinkedIn", "tiktok": "TikTok", "twitter": "X", "youtube": "YouTube"}
"""Display names that are not simply the capitalised name of the platform."""

_HOSTS = {
    "bluesky": ("bsky.app",),
    "facebook": ("facebook.com", "fb.com", "fb.watch"),
    "linkedin": ("linkedin.com", "lnkd.in"),
    "pinterest": ("pinterest.com", "pin.it"),
    "threads": ("threads.net", "threads.com"),
    "twitter": ("x.com", "twitter.com"),
    "youtube": ("youtube.com", "youtu.be"),
}
"""Where posts of a platform are, other than at its name with `.com`."""

_CLASS = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z")


def platform_name(platform: str) -> str:
    """The display name of a platform."""
    return _TITLES.get(platform, platform[:1].upper() + platform[1:])


def platform_class(platform: str) -> str:
    """The CSS class of a platform; `p-other` where its name is not valid in a class."""
    return f"p-{platform}" if _CLASS.fullmatch(platform) else "p-other"


def kind_name(kind: str) -> str:
    """The kind of a post in words."""
    return kind.replace("_", " ")


@lru_cache(4096)  # a page says some times four times for each post
def day(moment: str | None) -> str:
    """2 March 2026; the text as it is where it is not a time."""
    parsed = parse_time(moment)
    return f"{parsed.day} {parsed:%B} {parsed.year}" if parsed else (moment or "no date")


@lru_cache(4096)
def day_time(moment: str | None) -> str:
    """2 March 2026, 09:00, in UTC."""
    parsed = parse_time(moment)
    return f"{day(moment)}, {parsed:%H:%M}" if parsed else (moment or "no date")


def short_time(moment: str | None) -> str:
    """2026-03-02 09:00, in UTC, for tables."""
    parsed = parse_time(moment)
    return f"{parsed:%Y-%m-%d %H:%M}" if parsed else (moment or "")


def with_times(text: str) -> str:
    """A sentence of the archive, with its ISO times rewritten by `short_time`."""
    return _MOMENT.sub(lambda found: short_time(found[0]) + " UTC", text)


def size(count: int | None) -> str:
    """Bytes in the unit that fits; nothing where they are not known."""
    return "" if count is None else size_text(count)


def duration(milliseconds: int | None) -> str:
    """0:02, 3:15 or 1:02:03; empty for 0 and for an unknown duration."""
    if not milliseconds:
        return ""
    seconds = round(milliseconds / 1000)
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def between(start: str | None, end: str | None) -> str:
    """The time between two moments: 2.5 s, 4 min, 1 h 20 min."""
    first, last = parse_time(start), parse_time(end)
    if first is None or last is None:
        return ""
    seconds = (last - first).total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def number(value: Any) -> str:
    """A number with thousands separators and few digits."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"
    return f"{int(value):,}" if isinstance(value, int | float) else str(value)


def metric_label(name: str, value: Any) -> str:
    """The name of a metric behind its value: 1 reply, 2 replies."""
    words = metric_name(name)
    if value != 1 or not words.endswith("s"):
        return words
    return words[:-3] + "y" if words.endswith("ies") else words[:-1]


def safe_link(url: str | None) -> str | None:
    """The URL if it may become a link (http or https), else None."""
    return url if url and re.match(r"https?://[^\s/]", url, re.IGNORECASE) else None


def open_label(platform: str, url: str) -> str:
    """What a link to the original says: the platform, or the host where it is another one's."""
    try:
        host = (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        host = ""
    known = _HOSTS.get(platform, (f"{platform}.com",))
    if any(host == name or host.endswith(f".{name}") for name in known):
        return f"Open on {platform_name(platform)}"
    return f"Open at {host}" if host else "Open the original"


def expires(moment: str | None, now: datetime | None = None) -> str:
    """`Expired` or `Expires`: whether a time is past."""
    parsed = parse_time(moment)
    is_past = parsed is not None and parsed <= (now or datetime.now(UTC))
    return "Expired" if is_past else "Expires"


def pretty_json(text: str | None) -> str:
    """Indented JSON with numbers exactly as written; invalid or too deep JSON as it is."""
    try:
        return _indented(json.loads(text or "", parse_float=_Literal, parse_int=_Literal), 0)
    except (ValueError, RecursionError):
        return text or ""


class _Literal(str):
    """A number, kept as it was written."""

    __slots__ = ()


def _indented(value: Any, depth: int) -> str:
    inner = "  " * (depth + 1)
    if isinstance(value, _Literal):
        return str(value)
    if isinstance(value, dict) and value:
        lines = (
            f"{inner}{json.dumps(key, ensure_ascii=False)}: {_indented(part, depth + 1)}"
            for key, part in value.items()
        )
        return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"
    if isinstance(value, list) and value:
        lines = (f"{inner}{_indented(part, depth + 1)}" for part in value)
        return "[\n" + ",\n".join(lines) + "\n" + "  " * depth + "]"
    return json.dumps(value, ensure_ascii=False)
