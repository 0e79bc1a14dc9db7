"""Records taken apart, changed and spoilt, one value at a time."""

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from archiver.media_keys import address_key

TreePath = tuple[str | int, ...]

HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 1.5, 1e308, "", " ", "x", "NaN", "12", "https://[", "http://",
    "//host/a", "javascript:alert(1)", "\ud83d", "\x00", "9" * 5000, "2022-13-45T99:99:99Z", [], {},
    [None], [[]], [{}], ["x"], [1.5], {"": None}, {"id": {}}, [{"mediaUrl": 5}, 5],
    {"a": {"b": {"c": {"d": {"e": {"f": {"g": [[[[{"h": 1.5}]]]]}}}}}}},
    ["https://a.example/b"] * 50,
)  # fmt: skip
"""What stands in for each value of a record in turn: every type, and none of the right form."""


def paths(value: Any, path: TreePath = ()) -> Iterator[TreePath]:
    """The path of every value inside a record, containers included."""
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, child in items:
        yield (*path, key)
        yield from paths(child, (*path, key))


def leaves(record: Any) -> Iterator[tuple[TreePath, Any]]:
    """The path and value of everything in a record that is not a container."""
    for path in paths(record):
        value = value_at(record, path)
        if not isinstance(value, dict | list):
            yield path, value


def dotted(path: TreePath) -> str:
    """A path as docs write it: `mediaUrls[].media.image.src`."""
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def places(records: Iterable[Any], *, at_most: int) -> Iterator[tuple[Any, TreePath]]:
    """Each value of some records with its record; of one dotted path the first `at_most`."""
    seen: Counter[str] = Counter()
    for record in records:
        for path in paths(record):
            seen[dotted(path)] += 1
            if seen[dotted(path)] <= at_most:
                yield record, path


def value_at(record: Any, path: TreePath) -> Any:
    """The value at a path."""
    for step in path:
        record = record[step]
    return record


def with_value(record: Any, path: TreePath, value: Any) -> dict[str, Any]:
    """A copy of a record with another value at a path."""
    changed, holder = _copied_along(record, path)
    holder[path[-1]] = copy.deepcopy(value)
    return changed


def without(record: Any, path: TreePath) -> dict[str, Any]:
    """A copy of a record without what is at a path."""
    changed, holder = _copied_along(record, path)
    del holder[path[-1]]
    return changed


def _copied_along(record: Any, path: TreePath) -> tuple[dict[str, Any], Any]:
    """A record that shares all but the containers of a path, and the last of these."""
    changed: dict[str, Any] = dict(record)
    holder: Any = changed
    for step in path[:-1]:
        holder[step] = copy.copy(holder[step])
        holder = holder[step]
    return changed, holder


def turned(value: Any) -> Any:
    """The same value with the keys of all objects in reverse order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value


def rotated(url: str) -> str:
    """The same file on another host of the same network, under another signature."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("?")[0].partition("/")[0]
    name = address_key(url)
    mark = "&" if "?" in name else "?"
    return f"{scheme}://rotated.{host}{name}{mark}x-expires=1790000000&x-signature=other"
