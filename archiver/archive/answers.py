"""Taking the records of some posts out of an answer of a source, which may hold other posts too.

The core does not know how a source lays out its answers. A record is an element of a list, and the
id that stands nearest to its top is its own; what it says about other posts (those that it
answers, quotes or shares) stands under keys that say so, or deeper.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from archiver.archive.search import fold
from archiver.jsontext import BadJson, read_json

_OF_OTHERS = (
    "reply", "parent", "root", "quot", "repost", "reblog", "share", "context", "embed", "thread",
    "conversation",
)  # fmt: skip
_DEPTH = 3
_DISTINCT = 12  # characters; a shorter text may stand in other posts too
_MOST_LOOKED_FOR = 1000  # texts that are looked for within others too
_SHORTEST_ID = 5  # characters; a shorter one names nobody, and may be a number of something else
_TOKEN = re.compile(r"""[^\s?&=#<>"';,\\]+""")
"""The parts of an address, or of headers as JSON, that may be the id of a post."""
ERASED = "erased"
"""What stands in an address in the place of an id."""


def without_ids(text: str, is_erased: Callable[[str], bool]) -> str:
    """An address, or headers as JSON, without the ids of erased posts.

    The address of a page of an account names a post where that is the page's first or last one.
    """

    def replaced(token: str) -> str:
        name = unquote(token)
        if len(name) >= _SHORTEST_ID and is_erased(name):
            return ERASED
        return "/".join(map(replaced, token.split("/"))) if "/" in token else token

    return _TOKEN.sub(lambda found: replaced(found[0]), text)


def without_records(
    body: bytes, ids: Collection[str], texts: Collection[str], earlier: Collection[str] = ()
) -> tuple[bytes | None, int]:
    """The body without the records of these ids, and how many were taken out.

    `earlier` are texts of earlier versions, as a search compares them (`posts.earlier_text`).

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
    folded = frozenset(text for text in earlier if len(text) >= _DISTINCT)
    if any(text in distinct or (folded and _line(text) in folded) for text in _leaves(kept)):
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


def _line(text: str) -> str:
    """A text as `posts.earlier_text` has it."""
    return " ".join(fold(text).splitlines())


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


def is_about(
    raw: str, ids: Collection[str], texts: Collection[str], earlier: Collection[str] = ()
) -> bool:
    """Whether a record that could not be read is one of these, or has one of the texts."""
    left, taken = without_records(f"[{raw}]".encode("utf-8", "surrogatepass"), ids, texts, earlier)
    return left is None or taken > 0
