"""What changed between two contents of a post, as words that were taken out and put in.

Records are the source's own, so which of their fields is the text is told by the value: the field
that holds what the post's newest text says held the older text before.
"""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from archiver.browse.text import safe_link

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_NUMBER = re.compile(r"-?[0-9.]+(e[+-]?[0-9]+)?", re.IGNORECASE)
_MOST_PAIRS = 1_000_000  # of words to compare, a second's work; beyond, all is shown as replaced


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text: `same`, `out` or `in`."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class TextChange:
    """One field that differs, with its pieces."""

    path: str
    pieces: tuple[Piece, ...]
    is_text: bool


def words_changed(old: str, new: str) -> tuple[Piece, ...]:
    """The new text, with what was put in and what was taken out."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    first, last = "".join(after[:head]), "".join(after[len(after) - tail :])
    middle = _compared(before[head : len(before) - tail], after[head : len(after) - tail])
    pieces = (Piece("same", first), *middle, Piece("same", last))
    return tuple(piece for piece in pieces if piece.text)


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    """How many words both begin with."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((k for k, (a, b) in pairs if a != b), min(len(before), len(after)))


def _compared(before: Sequence[str], after: Sequence[str]) -> tuple[Piece, ...]:
    if len(before) * len(after) > _MOST_PAIRS:
        return (Piece("out", "".join(before)), Piece("in", "".join(after)))
    pieces: list[Piece] = []
    # a word that is everywhere, as a space is, is no anchor: else this would be cubic
    matcher = difflib.SequenceMatcher(None, before, after)
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            pieces.append(Piece("same", "".join(before[a:b])))
            continue
        if b > a:
            pieces.append(Piece("out", "".join(before[a:b])))
        if d > c:
            pieces.append(Piece("in", "".join(after[c:d])))
    return tuple(pieces)


def changes(old: str, new: str, published: frozenset[str] = frozenset()) -> list[TextChange]:
    """What differs between two records, first the paths that hold what people published."""
    before, after = dict(_leaves(_parsed(old))), dict(_leaves(_parsed(new)))
    found = []
    for path in [*after, *(path for path in before if path not in after)]:
        was, now = before.get(path), after.get(path)
        if was != now:
            is_text = path in published
            pieces = words_changed(was or "", now or "") if is_text else _replaced(was, now)
            found.append(TextChange(path, pieces, is_text))
    return sorted(found, key=lambda change: not change.is_text)


def is_content(change: TextChange) -> bool:
    """Whether it says more than that a number moved or that an address was signed anew."""
    values = [piece.text for piece in change.pieces]
    if change.is_text or not values:
        return True
    if all(_NUMBER.fullmatch(value) for value in values):
        return False
    is_signed_anew = len(values) == 2 and all(safe_link(value) for value in values)
    return not (is_signed_anew and _path(values[0]) == _path(values[1]))


def published_paths(record: str, values: Iterable[str | None]) -> frozenset[str]:
    """Where in a record the texts of a post stand: text, title, descriptions."""
    wanted = {value for value in values if value}
    return frozenset(path for path, value in _leaves(_parsed(record)) if value in wanted)


def as_it_was(record: str, published: frozenset[str]) -> list[TextChange]:
    """What a record published, without a comparison."""
    return [
        TextChange(path, (Piece("same", value),), is_text=True)
        for path, value in _leaves(_parsed(record))
        if path in published and value
    ]


def text_path(record: str, text: str | None) -> str | None:
    """Where in a record the text stands."""
    if not text:
        return None
    return next((path for path, value in _leaves(_parsed(record)) if value == text), None)


def text_at(record: str, path: str | None) -> str | None:
    """What stands at a path of a record."""
    return dict(_leaves(_parsed(record))).get(path) if path else None


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return url


def _parsed(record: str) -> Any:
    try:
        return json.loads(record, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return record


def _leaves(record: Any) -> Iterator[tuple[str, str]]:
    """Every value with its path, in order; nothing calls itself, as deep as a record may be."""
    waiting: list[tuple[str, Any]] = [("", record)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            inner = [(f"{path}.{key}" if path else str(key), part) for key, part in value.items()]
        elif isinstance(value, list):
            inner = [(f"{path}[{k}]", part) for k, part in enumerate(value)]
        else:
            inner = []
            yield path, value if isinstance(value, str) else json.dumps(value)
        waiting.extend(reversed(inner))


def _replaced(was: str | None, now: str | None) -> tuple[Piece, ...]:
    pieces = []
    if was is not None:
        pieces.append(Piece("out", was))
    if now is not None:
        pieces.append(Piece("in", now))
    return tuple(pieces)
