"""Normalising web addresses as browsers do.

The rules are those of https://url.spec.whatwg.org/ for `http` and `https`: what they percent-encode
is percent-encoded, what is encoded already stays. Where browsers guess what an author may have
meant by a host, this refuses: an address that can be read in two ways is none.
"""

import re
from typing import Annotated

_ABSOLUTE = re.compile(r"(?:(https?):)?//([^/\\?#]*)(.?)", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE | re.ASCII)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:@%]+)(?::(\d{0,9}))?", re.IGNORECASE | re.ASCII)
_HOST = re.compile(r"[a-z0-9_.-]+", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 0xFFFF
_NORMALIZED = re.compile(
    r"(https?)://[a-z0-9_.-]+(?::([1-9]\d{0,4}))?"
    r"(?:(/[!$-;=@-\[\]_a-z|~]*)(?:\?[!$-&(-;=?-~]*)?)?", re.ASCII
)  # fmt: skip
"""A host, a path and a query without anything to encode: most addresses are so."""

_AROUND = "".join(map(chr, range(0x21)))
_BREAKS = str.maketrans("", "", "\t\n\r")
_IN_PATH = re.compile(r"[^!$-;=@-\[\]_a-z|~]+")  # C0, space, non-ASCII and " # < > ? ^ ` { }
_IN_QUERY = re.compile(r"[^!$-&(-;=?-~]+")  # C0, space, non-ASCII and " # ' < >
_IN_FRAGMENT = re.compile(r"[^!#-;=?-_a-~]+")  # C0, space, non-ASCII and " < > `
_SURROGATE = re.compile("[\ud800-\udfff]")
_DOT = frozenset({".", "%2e"})
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_TWO_DOTS = frozenset({"..", ".%2e", "%2e.", "%2e%2e"})


BaseUrl = Annotated[str, "base URL"]
"""The type of a setting that is the base URL of an API."""


class BadUrl(ValueError):
    """An invalid web address; the message says why, and does not show it."""


def normalize_url(text: str, base: str | None = None) -> str:
    """An `http` or `https` address, as a browser would ask for it: ASCII, encoded once.

    White space around it is dropped, a name in other letters gets its IDNA form, `..` is resolved.
    An address that begins with `//` is https. `base` is what a relative address starts from; it
    must have been normalized. Raises BadUrl.
    """
    if (match := _NORMALIZED.fullmatch(text)) and _is_normalized(*match.groups()):
        return text if match[3] else f"{text}/"
    text = _SURROGATE.sub("\ufffd", text.strip(_AROUND))
    found = _ABSOLUTE.match(text)
    if found is not None:
        if found[3] == "\\":
            raise BadUrl("a backslash follows its host")
        scheme = (found[1] or (base or "https").partition(":")[0]).lower()
        return f"{scheme}://{_authority(found[2], scheme)}{_rest(text[found.end(2) :])}"
    if base is None or _SCHEME.match(text):
        raise BadUrl("it is not a plain http or https address")
    if re.match(r"[/\\]{2}", text):
        raise BadUrl("a backslash precedes its host")
    scheme, _, after = base.partition("://")
    authority, slash, path = after.partition("/")
    return f"{scheme}://{authority}{_rest(text, slash + path)}"


def _is_normalized(scheme: str, port: str | None, path: str | None) -> bool:
    """Whether nothing is to be done about a port and a path that are spelled well."""
    if path is not None and ("/." in path or "%2" in path):
        return False
    return port is None or (int(port) != _DEFAULT_PORTS[scheme] and int(port) <= _LAST_PORT)


def ascii_host(name: str) -> str:
    """A host's name in lower case, its IDNA form where it is not ASCII. Raises BadUrl."""
    if not name.isascii():
        name = _idna(name)
    name = name.lower()
    if not _HOST.fullmatch(name):
        raise BadUrl("its host is not a valid name")
    return name


def ends_in_number(name: str) -> bool:
    """Whether a host in lower case means an IPv4 address, however that is written."""
    return bool(_NUMBER.fullmatch(name.removesuffix(".").rpartition(".")[2]))


def _authority(text: str, scheme: str) -> str:
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        raise BadUrl("its host is missing or written in a misleading way")
    host, port = match.groups()
    name = host.lower() if host.startswith("[") else ascii_host(host)
    number = int(port) if port else _DEFAULT_PORTS[scheme]
    if number > _LAST_PORT:
        raise BadUrl("its port is not a number up to 65535")
    return name if number == _DEFAULT_PORTS[scheme] else f"{name}:{number}"


def _idna(name: str) -> str:
    """The form of a name that is asked for (UTS #46, as browsers process it, then Punycode)."""
    import idna  # noqa: PLC0415 — its tables take time to load, and few names need them

    try:
        labels = idna.uts46_remap(name, std3_rules=False).split(".")
        coded = [
            label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"
            for label in labels
        ]
    except UnicodeError:  # idna's own errors are some, too
        raise BadUrl("its host is not a valid name") from None
    found = ".".join(coded)
    if ends_in_number(found):
        raise BadUrl("its host is an address in letters that are not ASCII")
    return found


def _rest(text: str, base: str = "/") -> str:
    """Path, query and fragment; `base` is the path and query that a relative one starts from."""
    text, mark, fragment = text.translate(_BREAKS).partition("#")
    path, question, query = text.partition("?")
    path = path.replace("\\", "/")
    base_path, base_question, base_query = base.partition("?")
    if not path and not question:
        question, query = base_question, base_query
    if not path:
        path = base_path.partition("#")[0]
    elif not path.startswith("/"):
        path = base_path.rpartition("/")[0] + "/" + path
    coded = _IN_PATH.sub(_percent, _without_dots(path))
    return f"{coded}{question}{_IN_QUERY.sub(_percent, query)}{mark}" + (
        _IN_FRAGMENT.sub(_percent, fragment)
    )


def _without_dots(path: str) -> str:
    """The path without `.` and `..`, which lead nowhere above the root."""
    parts: list[str] = []
    *inner, last = path.split("/")[1:]
    for part in inner:
        if part.lower() in _TWO_DOTS:
            del parts[-1:]
        elif part.lower() not in _DOT:
            parts.append(part)
    if last.lower() in _TWO_DOTS:
        del parts[-1:]
    parts.append("" if last.lower() in _DOT | _TWO_DOTS else last)
    return "/" + "/".join(parts)


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())
