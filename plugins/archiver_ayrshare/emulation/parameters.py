"""Reading the parameters of a request as strictly as the API does.

Every function raises ApiError with status 400 for what is not as documented.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time

from archiver_ayrshare.emulation.answers import bad_request

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def unique(params: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The parameters by name; none may be sent twice."""
    unique = dict(params)
    if len(unique) != len(params):
        raise bad_request("a parameter was sent twice")
    return unique


def allow(params: Mapping[str, str], known: set[str]) -> None:
    """Refuse every parameter that is not known here."""
    if unknown := sorted(set(params) - known):
        raise bad_request(f"unknown parameter {unknown[0]}")


def limit(params: Mapping[str, str], usual: int, max_limit: int) -> int:
    """How many are asked for: a whole number from 1 to `max_limit`."""
    text = params.get("limit", str(usual))
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= max_limit):
        raise bad_request(f"limit must be a whole number from 1 to {max_limit}")
    return int(text)


def boolean(params: Mapping[str, str], name: str) -> bool:
    """True or False; capitals are accepted, since a known client sends them."""
    value = params.get(name, "false").lower()
    if value not in {"true", "false"}:
        raise bad_request(f"{name} must be true or false")
    return value == "true"


def choice(params: Mapping[str, str], name: str, known: set[str]) -> str | None:
    """One of a few words, or None."""
    value = params.get(name)
    if value is not None and value not in known:
        raise bad_request(f"{name} must be one of {', '.join(sorted(known))}")
    return value


def matching(params: Mapping[str, str], name: str, form: re.Pattern[str]) -> str | None:
    """Text of a given form, or None."""
    value = params.get(name)
    if value is not None and not form.fullmatch(value):
        raise bad_request(f"{name} is not one")
    return value


def moment(params: Mapping[str, str], name: str, of_day: time) -> datetime | None:
    """A day (its first or last moment, as `of_day` says) or a time in ISO 8601."""
    text = params.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise bad_request(f"{name} must be an ISO date such as 2026-03-17") from None
    if _DAY.fullmatch(text):
        return datetime.combine(moment, of_day, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
