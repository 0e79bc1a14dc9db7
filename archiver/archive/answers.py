"""Taking the records of some posts out of an answer of a source, which may hold other posts too.

The core does not know how a source lays out its answers. A record is an element of a list, and the
id that stands nearest to its top is its own; what it says about other posts (those that it
answers, quotes or shares) stands under keys that say so, or deeper.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from archiver.jsontext import BadJson, read_json

_OF_OTHERS = (
    "reply", "parent", "root", "quot", "repost", "reblog", "share", "context", "embed", "thread",
    "conversation",
)  # fmt: skip
_DEPTH = 3
_DISTINCT = 12  # characters; a shorter text may stand in other posts too
_MOST_LOOKED_FOR = 1000  # texts that are looked for within others too


def without_records(
    body: bytes, ids: Collection[str], texts: Collection[str]
) -> tuple[bytes | None, int]:
    """The body without the records of these ids, and how many were taken out.

    An answer in which nothing of them stands is returned as it is, with 0. None in place of the
    body where their content cannot be taken out: it is not JSON, or one of the `texts` stands
    elsewhere in it too. An id by which another record refers to one of them stays.
    """
    distinct = frozenset(text for text in texts if len(text) >= _DISTINCT)
    try:
        answer = read_json(body)
    except BadJson:
        return (None if _has_one(body, {*ids, *distinct}) else body), 0
    taken: list[Any] = []
    kept = _cut(answer, frozenset(ids), taken)
    if any(text in distinct for text in _leaves(kept)):
        return None, len(taken)
    left = body
    if taken:
        text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
        left = text.encode("utf-8", "surrogatepass")
    is_left = len(distinct) <= _MOST_LOOKED_FOR and _has_one(left, distinct)
    return (None if is_left else left), len(taken)


def _has_one(body: bytes, texts: Iterable[str]) -> bool:
    """Whether one of the texts stands in the bytes, as JSON may write it."""
    for text in filter(None, texts):
        for ascii_only in (True, False):
            quoted = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
            for mark in (quoted, quoted.replace("/", "\\/")):
                if mark.encode("utf-8", "surrogatepass") in body:
                    return True
    return False


def _leaves(value: Any) -> Iterator[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)


def _cut(value: Any, ids: frozenset[str], taken: list[Any]) -> Any:
    """The value without the records, which are added to `taken`."""
    if isinstance(value, list):
        kept = []
        for each in value:
            if isinstance(each, dict) and _own_id(each) & ids:
                taken.append(each)
            else:
                kept.append(_cut(each, ids, taken))
        return kept
    if isinstance(value, dict):
        return {name: _cut(each, ids, taken) for name, each in value.items()}
    return value


def _own_id(record: dict[str, Any]) -> set[str]:
    """The values that stand where a record has its own ids, as text."""
    return {str(value) for value in _scalars(record, _DEPTH) if not isinstance(value, bool)}


def _scalars(record: dict[str, Any], depth: int) -> Iterator[Any]:
    for name, value in record.items():
        if any(part in name.lower() for part in _OF_OTHERS):
            continue
        if isinstance(value, str | int):
            yield value
        elif isinstance(value, dict) and depth > 1:
            yield from _scalars(value, depth - 1)


def is_about(raw: str, ids: Collection[str], texts: Collection[str]) -> bool:
    """Whether a record that could not be read is one of these, or has one of the texts."""
    left, taken = without_records(f"[{raw}]".encode("utf-8", "surrogatepass"), ids, texts)
    return left is None or taken > 0
