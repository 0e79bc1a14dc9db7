"""Splitting HTML into tags and text, in linear time for any input.

It follows the tokenizer of https://html.spec.whatwg.org/multipage/parsing.html as far as text
needs it. Python's own `html.parser` needs a minute for 60 kB of `<a <a <a …`, which anybody may
post.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
_ATTRIBUTE = re.compile(
    r"""[\s/]*+([^\s/>=][^\s/>=]*+)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s>]*+))?""", re.ASCII
)
_END = re.compile(r"[\s/]*+>", re.ASCII)
_RAW = frozenset({"script", "style"})
_LONG_NUMBER = re.compile(r"&#(?:\d{8,}|[xX][0-9a-fA-F]{7,});?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag: its name in lower case, whether it closes, and its attributes."""

    name: str
    closes: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


def tokens_of(text: str) -> Iterator[Tag | str]:
    """The tags and the text between them, in order, without comments and ignored markup."""
    at = 0
    while at < len(text):
        begin = text.find("<", at)
        if begin < 0:
            break
        if begin > at:
            yield unescaped(text[at:begin])
        match = _TAG.match(text, begin)
        if match is None:
            at = _end_of_comment(text, begin)
            if at == begin:  # a sign, such as in 1 < 2
                yield "<"
                at += 1
            continue
        attributes, at = _attributes(text, match.end())
        if at > len(text):
            return  # a tag without an end: browsers drop it
        name = match[2].lower()
        yield Tag(name, bool(match[1]), attributes)
        if name in _RAW and not match[1]:
            end = re.compile(f"</{name}", re.IGNORECASE).search(text, at)
            at = end.start() if end else len(text)
    if at < len(text):
        yield unescaped(text[at:])


def unescaped(text: str) -> str:
    """The text with its character references resolved."""
    if "&" not in text:
        return text
    return html.unescape(_LONG_NUMBER.sub("\N{REPLACEMENT CHARACTER}", text))


def _end_of_comment(text: str, begin: int) -> int:
    """The end of a comment or declaration at `begin`; `begin` itself where there is none."""
    if text.startswith("<!--", begin):
        end, length = text.find("-->", begin + 2), 3
    elif text.startswith(("<!", "<?", "</"), begin):
        end, length = text.find(">", begin), 1
    else:
        return begin
    return end + length if end >= 0 else len(text)


def _attributes(text: str, at: int) -> tuple[dict[str, str], int]:
    """The attributes at a position, and the position after the tag, past the end if unclosed."""
    found: dict[str, str] = {}
    while not (end := _END.match(text, at)):
        match = _ATTRIBUTE.match(text, at)
        if match is None or match.end() == at:
            return found, len(text) + 1
        value = match[2] or ""
        if value[:1] in {'"', "'"} and value[-1:] == value[:1] and len(value) > 1:
            value = value[1:-1]
        found.setdefault(match[1].lower(), unescaped(value))
        at = match.end()
    return found, end.end()
