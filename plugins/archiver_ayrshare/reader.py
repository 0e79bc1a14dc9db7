"""Reads records by a platform's table of fields: columns, metrics, content, unmapped paths.

A full scan reads every record of an account, perhaps 100,000, so the table is prepared once, and
most records need only a few dictionary look-ups.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from archiver import Alias, Metric
from archiver_ayrshare.addresses import url_of
from archiver_ayrshare.fields import Fields, steps_of
from archiver_ayrshare.forms import Form
from archiver_ayrshare.numbers import count_of
from archiver_ayrshare.values import (
    content_of,
    dig,
    id_of,
    is_blank,
    is_numbered,
    list_of,
    name_of,
    text_of,
    time_of,
    word_of,
)

T = TypeVar("T")
_Tree = dict[Any, Any]

_LEAF = ("leaf",)  # the key, in the tree of known paths, of the `_Leaf` of a path that ends here
_WHOLE = "*"  # the step of a path that is known with everything below it
_ITEM = "[]"  # the step to each item of a list
_MAX_UNMAPPED = 100
_MAX_DEPTH = 12

_BOOKKEEPING = ("id", "lastUpdated", "nextUpdate", "isPopular", "platform", "status")


class MetricTable:
    """Paths of metrics, and their names. The first path that has a value counts."""

    def __init__(self, names: Mapping[str, str]) -> None:
        groups: dict[tuple[str, ...], dict[str, tuple[int, str]]] = {}
        for rank, (path, name) in enumerate(names.items()):
            *parents, key = steps_of(path)
            groups.setdefault(tuple(parents), {})[key] = (rank, name)
        self._groups = tuple(groups.items())

    def read(self, record: Mapping[str, Any]) -> tuple[Metric, ...]:
        """The numbers of a record, in the order of the table."""
        found: dict[str, int | float] = {}
        for parents, ranks in self._groups:
            group = dig(record, parents) if parents else record
            if not isinstance(group, dict):
                continue
            hits = [(ranks[key], value) for key, value in group.items() if key in ranks]
            for (_, name), value in sorted(hits, key=_rank):
                number = count_of(value)
                if number is not None:
                    found.setdefault(name, number)
        return tuple([Metric(name, value) for name, value in found.items()])


class Reader:
    """Reads one record by a platform's table. Pure; accepts any record."""

    def __init__(self, fields: Fields) -> None:
        self._text = _compiled(fields.text)
        self._title = _compiled(fields.title)
        self._created = _compiled(fields.created_at)
        self._edited = _compiled(fields.edited_at)
        self._url = _compiled(fields.url)
        self._visibility = _compiled(fields.visibility)
        self._author = _compiled(fields.author)
        self._aliases = tuple((steps_of(path), scheme) for path, scheme in fields.aliases.items())
        self._metrics = MetricTable(fields.all_metrics)
        self._words = tuple((steps_of(path), path, words) for path, words in fields.words.items())
        self._content = tuple((steps_of(path), name) for path, name in fields.content.items())
        self._tree = _tree(fields.forms_of_paths())
        self._leaves = {key: node[_LEAF] for key, node in self._tree.items() if _LEAF in node}
        self._wholes = frozenset(key for key, node in self._tree.items() if _WHOLE in node)
        paths = (*fields.url, *fields.created_at, *fields.edited_at, *fields.author)
        self._bookkeeping = frozenset(
            (*_BOOKKEEPING, *(steps_of(path)[0] for path in (*paths, *fields.aliases)))
        )

    def text(self, record: Mapping[str, Any]) -> str | None:
        """What was written."""
        return _first(record, self._text, text_of)

    def title(self, record: Mapping[str, Any]) -> str | None:
        """The title, where the platform has one."""
        return _first(record, self._title, text_of)

    def created_at(self, record: Mapping[str, Any]) -> str | None:
        """When it was published."""
        return _first(record, self._created, time_of)

    def edited_at(self, record: Mapping[str, Any]) -> str | None:
        """When it was last changed, as the platform says."""
        return _first(record, self._edited, time_of)

    def url(self, record: Mapping[str, Any]) -> str | None:
        """Where it can be seen."""
        return _first(record, self._url, url_of)

    def visibility(self, record: Mapping[str, Any]) -> str | None:
        """Who may see it, in lower case."""
        return _first(record, self._visibility, _word)

    def author(self, record: Mapping[str, Any]) -> str | None:
        """The handle of who wrote it."""
        return _first(record, self._author, name_of)

    def aliases(self, record: Mapping[str, Any]) -> tuple[Alias, ...]:
        """The ids of the post, by scheme; its own is among them where a scheme has it."""
        found: list[Alias] = []
        for steps, scheme in self._aliases:
            if steps[0] not in record:
                continue
            for value in _values_at(record, steps):
                other = id_of(value)
                if other is not None:
                    found.append(Alias(scheme, other))
        return tuple(dict.fromkeys(found))

    def metrics(self, record: Mapping[str, Any]) -> tuple[Metric, ...]:
        """The numbers about the post."""
        return self._metrics.read(record)

    def content(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The further fields of what was published; empty ones are left out."""
        found: dict[str, Any] = {}
        for steps, name in self._content:
            if steps[0] not in record or name in found:
                continue
            values = _values_at(record, steps)
            value = content_of(values if "[]" in steps else next(iter(values), None))
            if value is not None:
                found[name] = value
        return found

    def is_id_only(self, record: Mapping[str, Any]) -> bool:
        """Whether there is nothing in it but ids, times and links: the post exists, that is all."""
        return self._bookkeeping.issuperset(record)

    def unmapped(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        """The paths that the table does not know, each once; at most a hundred of them.

        So are values that are not understood, and unknown words of a fixed vocabulary.
        """
        leaves, wholes = self._leaves, self._wholes
        found: dict[str, None] = {}
        for steps, path, words in self._words:
            if steps[0] in record and any(_is_unknown(v, words) for v in _values_at(record, steps)):
                found[path] = None
        for key, value in record.items():
            leaf = leaves.get(key)
            if leaf is not None and (type(value) in leaf.accepted_types or leaf.understands(value)):
                continue
            if key in wholes:
                continue
            if len(found) >= _MAX_UNMAPPED:
                break
            _collect(value, self._tree.get(key), key, found, 0)
        return tuple(found)


class _Leaf:
    """The forms of one path, in the tree of known paths."""

    __slots__ = ("_blank", "_parsers", "accepted_types")

    def __init__(self, forms: tuple[Form, ...]) -> None:
        self._parsers = tuple(form.parse for form in forms)
        self._blank = any(form.blank for form in forms)
        self.accepted_types = frozenset().union(*(form.accepted_types for form in forms))

    def understands(self, value: object) -> bool:
        """Whether one of the forms understands the value, or it is blank."""
        for parse in self._parsers:
            if parse(value) is not None:
                return True
        return self._blank and is_blank(value)


def _word(value: object) -> str | None:
    return text_of(word_of(value))


def _compiled(paths: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each path as its first step and the others."""
    steps = [steps_of(path) for path in paths]
    return tuple((step[0], step[1:]) for step in steps)


def _first(
    record: Mapping[str, Any],
    paths: tuple[tuple[str, tuple[str, ...]], ...],
    parse: Callable[[object], T | None],
) -> T | None:
    for key, below in paths:
        value = record.get(key)
        if value is None:
            continue
        if below:
            value = dig(value, below)
        parsed = parse(value)
        if parsed is not None:
            return parsed
    return None


def _values_at(value: Any, steps: tuple[str, ...]) -> list[Any]:
    """Every value that a path leads to."""
    for index, step in enumerate(steps):
        if step == _WHOLE:
            break
        if step == _ITEM:
            below = steps[index + 1 :]
            return [found for item in list_of(value) for found in _values_at(item, below)]
        if not isinstance(value, dict) or step not in value:
            return []
        value = value[step]
    return [value]


def _is_unknown(value: Any, words: frozenset[str]) -> bool:
    return isinstance(value, str) and not is_blank(value) and word_of(value) not in words


def _tree(paths: Mapping[str, tuple[Form, ...]]) -> _Tree:
    tree: _Tree = {}
    for path, forms in paths.items():
        node = tree
        for step in steps_of(path):
            node = node.setdefault(step, {})
        node[_LEAF] = _Leaf(forms)
    return tree


def _rank(hit: tuple[tuple[int, str], Any]) -> int:
    return hit[0][0]


def _collect(value: Any, node: _Tree | None, path: str, found: dict[str, None], depth: int) -> None:
    """Add the paths below a value that the tree does not cover."""
    is_object = isinstance(value, dict)
    if not (is_object or isinstance(value, list)) or depth >= _MAX_DEPTH:
        if not node or not (_understands(node, value) or (_LEAF not in node and is_blank(value))):
            found[path] = None
        return
    if not value and (not node or node.keys() == {_LEAF}):
        found[path] = None
    if node and is_object and _ITEM in node and node.keys().isdisjoint(value):
        _collect_list_like(value, node[_ITEM], path, found, depth)
        return
    steps = value.items() if is_object else ((_ITEM, item) for item in value)
    for step, child in steps:
        if len(found) >= _MAX_UNMAPPED:
            return
        below = node.get(step) if node else None
        if not _covers(below, child):
            _collect(child, below, f"{path}.{step}" if is_object else f"{path}[]", found, depth + 1)


def _collect_list_like(
    value: dict[str, Any], node: _Tree, path: str, found: dict[str, None], depth: int
) -> None:
    """An object in place of a known list, which `list_of` reads as a list."""
    items = value.items() if is_numbered(value) else [("", value)]
    for key, item in items:
        if not _covers(node, item):
            _collect(item, node, f"{path}.{key}" if key else path, found, depth + 1)


def _covers(node: _Tree | None, value: Any) -> bool:
    """Whether the tree covers a value and everything below it."""
    if not node:
        return False
    return _WHOLE in node or _understands(node, value)


def _understands(node: _Tree, value: Any) -> bool:
    leaf = node.get(_LEAF)
    return leaf is not None and (type(value) in leaf.accepted_types or leaf.understands(value))
