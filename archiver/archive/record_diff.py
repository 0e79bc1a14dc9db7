"""What changed between two revisions of a post, as words that were removed and inserted.

Records have the fields of their source, so the field of the text is found by its value: the one
that holds the text of the newest revision held the earlier texts before.
"""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_ADDRESS = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9.]+(e[+-]?[0-9]+)?", re.IGNORECASE)
_MOST_PAIRS = 1_000_000  # of words to compare, a second's work; beyond, all is shown as replaced


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: `same`, `out` (removed) or `in` (inserted)."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class TextChange:
    """One field that changed, with the parts of both texts."""

    path: str
    pieces: tuple[Piece, ...]
    is_text: bool

    @property
    def length(self) -> int:
        """Characters of all parts."""
        return sum(len(piece.text) for piece in self.pieces)


def words_changed(old: str, new: str) -> tuple[Piece, ...]:
    """The new text, with what was inserted and what was removed."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    first, last = "".join(after[:head]), "".join(after[len(after) - tail :])
    middle = _compared(before[head : len(before) - tail], after[head : len(after) - tail])
    pieces = (Piece("same", first), *middle, Piece("same", last))
    return tuple(piece for piece in pieces if piece.text)


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    """The length of the common prefix, in words."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((k for k, (a, b) in pairs if a != b), min(len(before), len(after)))


def _compared(before: Sequence[str], after: Sequence[str]) -> tuple[Piece, ...]:
    if len(before) * len(after) > _MOST_PAIRS:
        return (Piece("out", "".join(before)), Piece("in", "".join(after)))
    pieces: list[Piece] = []
    # difflib leaves out frequent words, such as spaces, as anchors: else this would take cubic time
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
    """The differences of two records; those at `published` paths come first."""
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
    """Whether it is more than a changed number or a new signature of an address."""
    values = [piece.text for piece in change.pieces]
    if change.is_text or not values:
        return True
    if all(_NUMBER.fullmatch(value) for value in values):
        return False
    are_addresses = len(values) == 2 and all(_ADDRESS.match(value) for value in values)
    return not (are_addresses and _path(values[0]) == _path(values[1]))


def published_paths(record: str, values: Iterable[str | None]) -> frozenset[str]:
    """The paths in a record of a post's text, title and alt texts."""
    wanted = {value for value in values if value}
    return frozenset(path for path, value in _leaves(_parsed(record)) if value in wanted)


def as_it_was(record: str, published: frozenset[str]) -> list[TextChange]:
    """The texts of a record at the `published` paths, as unchanged fields."""
    return [
        TextChange(path, (Piece("same", value),), is_text=True)
        for path, value in _leaves(_parsed(record))
        if path in published and value
    ]


def text_path(record: str, text: str | None) -> str | None:
    """The path in a record that has this text; None where none has."""
    if not text:
        return None
    return next((path for path, value in _leaves(_parsed(record)) if value == text), None)


def text_at(record: str, path: str | None) -> str | None:
    """The value at a path of a record; None where there is none."""
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
    """Every scalar with its path, in order. Not recursive: a record may be nested deeply."""
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
