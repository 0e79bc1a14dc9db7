"""When a signed URL expires, as far as the URL itself says.

Only parameters that cannot mean anything else are read: those of a known host or signature. A URL
of which nothing is known is simply requested.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

_HEX_EPOCH = re.compile(r"[0-9a-fA-F]{8}", re.ASCII)
_EPOCH = re.compile(r"\d{10}", re.ASCII)
_SIGNING_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_MAX_FIELDS = 100
_META_HOSTS = ("fbcdn.net", "cdninstagram.com", "fbsbx.com")
_SIGNERS = frozenset({"Signature", "Key-Pair-Id", "AWSAccessKeyId", "GoogleAccessId", "Policy"})


def url_expired(url: str, now: datetime) -> bool:
    """Whether the URL says of itself that it is no longer valid."""
    moment = url_expiry(url)
    return moment is not None and moment <= now


def url_expiry(url: str) -> datetime | None:
    """Until when the URL says that it is valid, or None where it does not say."""
    if "?" not in url:
        return None
    try:
        parts = urlsplit(url)
        fields = dict(parse_qsl(parts.query, max_num_fields=_MAX_FIELDS))
        host = parts.hostname or ""
    except ValueError:
        return None
    for name, form, base in _epochs(fields, host):
        if name in fields:
            return _epoch(fields[name], form, base)
    for prefix in ("X-Amz-", "X-Goog-"):
        if f"{prefix}Date" in fields and f"{prefix}Expires" in fields:
            return _signed(fields[f"{prefix}Date"], fields[f"{prefix}Expires"])
    return None


def _epochs(fields: Mapping[str, str], host: str) -> Iterator[tuple[str, re.Pattern[str], int]]:
    """The parameters of a signed URL that are its end in Unix time: name, pattern, base."""
    if "oh" in fields or _is_in_domain(host, _META_HOSTS):
        yield "oe", _HEX_EPOCH, 16  # Instagram, Threads, Facebook
    yield "x-expires", _EPOCH, 10  # TikTok
    yield "x-tos-expires", _EPOCH, 10  # files in exports of TikTok
    if _is_in_domain(host, ("licdn.com",)):
        yield "e", _EPOCH, 10  # LinkedIn
    if not _SIGNERS.isdisjoint(fields):
        yield "Expires", _EPOCH, 10  # CloudFront, S3 and Google, the older signatures


def _is_in_domain(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _epoch(text: str, form: re.Pattern[str], base: int) -> datetime | None:
    return datetime.fromtimestamp(int(text, base), UTC) if form.fullmatch(text) else None


def _signed(date: str, seconds: str) -> datetime | None:
    if not _SIGNING_DATE.fullmatch(date) or not re.fullmatch(r"\d{1,7}", seconds, re.ASCII):
        return None
    try:
        start = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return start + timedelta(seconds=int(seconds))
    except (ValueError, OverflowError):
        return None
