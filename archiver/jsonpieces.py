"""Splits JSON text without parsing its parts: for answers of which one part cannot be parsed.

Only brackets and strings are looked at, and nothing calls itself, so that no depth, no number and
no byte of one record can cost the others. What does not end as it began is refused: an answer
that was cut off is not one.
"""

import json
import re
from collections.abc import Iterator

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s"\[\]{},:]+', re.DOTALL)
_CLOSES = {b"[": b"]", b"{": b"}"}


class BadJson(ValueError):
    """The text is not JSON, or is nested too deep to be read."""


def split_members(text: bytes) -> Iterator[tuple[str, bytes]]:
    """The names of an object and the texts of their values. Raises BadJson."""
    for piece in _pieces(text.removeprefix(b"\xef\xbb\xbf"), b"{"):
        token = _TOKEN.match(piece)
        rest = piece[token.end() :].lstrip() if token else b""
        if token is None or token[0][:1] != b'"' or rest[:1] != b":":
            raise BadJson("a member of an object has no name")
        yield _name(token[0]), rest[1:].strip()


def _name(text: bytes) -> str:
    try:
        return str(json.loads(text))
    except ValueError:  # not UTF-8, or a line break in it
        return text[1:-1].decode(errors="backslashreplace")


def split_items(text: bytes) -> Iterator[bytes]:
    """The texts of the items of a list. Raises BadJson."""
    return _pieces(text, b"[")


def _pieces(text: bytes, bracket: bytes) -> Iterator[bytes]:
    """The parts between the commas of the outermost brackets."""
    text = text.strip()
    if text[:1] != bracket:
        raise BadJson("it does not begin as it should")
    open_: list[bytes] = []
    start, end = 1, 0
    for token in _TOKEN.finditer(text):
        if end == len(text) or text[end : token.start()].strip():
            break
        mark, end = token[0], token.end()
        if mark in _CLOSES:
            open_.append(_CLOSES[mark])
        elif mark in _CLOSES.values() and (not open_ or open_.pop() != mark):
            raise BadJson("its brackets do not match")
        if not open_ or (mark == b"," and len(open_) == 1):
            if piece := text[start : token.start()].strip():
                yield piece
            start = end
            if not open_:
                break
    if open_ or end != len(text):
        raise BadJson("it ends too early, or has text after its end")
