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
_LONGEST = 1000  # characters
_OURS = frozenset({"access_token", "limit"})


def next_cursor(header: str) -> str | None:
    """What of the next page's address says which page it is; None where there is no next page.

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
    """The parameters that a cursor stands for."""
    return {name: value for name, value in parse_qsl(cursor) if name not in _OURS}


def _cursor(target: str) -> str | None:
    try:
        query = urlsplit(target).query
    except ValueError:
        return None
    cursor = urlencode([pair for pair in parse_qsl(query) if pair[0] not in _OURS])
    return cursor if 0 < len(cursor) <= _LONGEST else None
