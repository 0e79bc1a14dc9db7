"""What changed between two contents of a post, as words that were taken out and put in.

Records are the source's own, so which of their fields is the text is told by the value: the field
that holds what the post's newest text says held the older text before.
"""

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_LONGEST = 20_000  # words; beyond, texts are shown side by side as a whole


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text: `same`, `out` or `in`."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs, with its pieces."""

    path: str
    pieces: tuple[Piece, ...]
    is_text: bool


def words_changed(old: str, new: str) -> tuple[Piece, ...]:
    """The new text, with what was put in and what was taken out."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if len(before) + len(after) > _LONGEST:
        return (Piece("out", old), Piece("in", new))
    pieces: list[Piece] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            pieces.append(Piece("same", "".join(before[a:b])))
            continue
        if b > a:
            pieces.append(Piece("out", "".join(before[a:b])))
        if d > c:
            pieces.append(Piece("in", "".join(after[c:d])))
    return tuple(pieces)


def changes(old: str, new: str, published: frozenset[str] = frozenset()) -> list[Change]:
    """What differs between two records, first the paths that hold what people published."""
    before, after = dict(_leaves(_parsed(old))), dict(_leaves(_parsed(new)))
    found = []
    for path in [*after, *(path for path in before if path not in after)]:
        was, now = before.get(path), after.get(path)
        if was != now:
            is_text = path in published
            pieces = words_changed(was or "", now or "") if is_text else _replaced(was, now)
            found.append(Change(path, pieces, is_text))
    return sorted(found, key=lambda change: not change.is_text)


def published_paths(record: str, values: Iterable[str | None]) -> frozenset[str]:
    """Where in a record the texts of a post stand: text, title, descriptions."""
    wanted = {value for value in values if value}
    return frozenset(path for path, value in _leaves(_parsed(record)) if value in wanted)


def text_path(record: str, text: str | None) -> str | None:
    """Where in a record the text stands."""
    if not text:
        return None
    return next((path for path, value in _leaves(_parsed(record)) if value == text), None)


def text_at(record: str, path: str | None) -> str | None:
    """What stands at a path of a record."""
    return dict(_leaves(_parsed(record))).get(path) if path else None


def _parsed(record: str) -> Any:
    try:
        return json.loads(record, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return record


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for k, part in enumerate(value):
            yield from _leaves(part, f"{path}[{k}]")
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _replaced(was: str | None, now: str | None) -> tuple[Piece, ...]:
    pieces = []
    if was is not None:
        pieces.append(Piece("out", was))
    if now is not None:
        pieces.append(Piece("in", now))
    return tuple(pieces)
