"""The `Link` header of a page (RFC 8288): where the next page is."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

_LINK = re.compile(
    r"""<(?P<target>[^<>]*+)>(?P<parameters>(?:\s*+;\s*+[^\s=;,"]++(?:\s*+=\s*+(?:"[^"]*+"|[^\s;,"]++))?+)*+)""",
    re.ASCII,
)
_REL = re.compile(
    r"""(?:^|;)\s*+rel\s*+=\s*+(?:"([^"]*+)"|([^\s;,"]++))""", re.ASCII | re.IGNORECASE
)
_MAX_LENGTH = 1000  # characters
_CURSOR_PARAMETERS = frozenset({"access_token", "limit"})


def next_cursor(header: str) -> str | None:
    """The query of the next page's address that selects the page; None without a next page.

    Only its parameters count: a server behind a proxy may write another host, and we ask where we
    asked before.
    """
    for match in _LINK.finditer(header):
        rel = _REL.search(match["parameters"])
        words = (rel[1] or rel[2] or "").lower().split() if rel else []
        if "next" in words:
            return _cursor(match["target"])
    return None


def parameters_of(cursor: str) -> dict[str, str]:
    """The query parameters in a cursor."""
    return {name: value for name, value in parse_qsl(cursor) if name not in _CURSOR_PARAMETERS}


def _cursor(target: str) -> str | None:
    try:
        query = urlsplit(target).query
    except ValueError:
        return None
    cursor = urlencode([pair for pair in parse_qsl(query) if pair[0] not in _CURSOR_PARAMETERS])
    return cursor if 0 < len(cursor) <= _MAX_LENGTH else None
