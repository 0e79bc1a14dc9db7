"""A platform's table of fields, compiled: it reads columns, metrics, content, unmapped paths.

An archive of 100,000 posts is read record by record at every full look, so what can be prepared
once is prepared here, and the common case is a handful of dictionary look-ups.
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

_LEAF = ("leaf",)  # the mark, in the tree of known paths, of one that may end here: a `_Leaf`
_WHOLE = "*"  # the mark of one that is known with everything below it
_ITEM = "[]"  # the step to each item of a list
_MOST_UNMAPPED = 100
_DEEPEST_UNMAPPED = 12

_BOOKKEEPING = ("id", "lastUpdated", "nextUpdate", "isPopular", "platform", "status")


class MetricTable:
    """Paths of numbers, and the names that they are kept under. The first spelling wins."""

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
            for value in _gather(record, steps):
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
            values = _gather(record, steps)
            value = content_of(values if "[]" in steps else next(iter(values), None))
            if value is not None:
                found[name] = value
        return found

    def is_id_only(self, record: Mapping[str, Any]) -> bool:
        """Whether there is nothing in it but ids, times and links: the post is there, no more."""
        return self._bookkeeping.issuperset(record)

    def unmapped(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        """The paths that the table does not know, each once; at most a hundred of them.

        A value that is not of the form that is understood there is one of them, and so is an
        unknown word of a fixed vocabulary.
        """
        leaves, wholes = self._leaves, self._wholes
        found: dict[str, None] = {}
        for steps, path, words in self._words:
            if steps[0] in record and any(_is_unknown(v, words) for v in _gather(record, steps)):
                found[path] = None
        for key, value in record.items():
            leaf = leaves.get(key)
            if leaf is not None and (type(value) in leaf.plain or leaf.understands(value)):
                continue
            if key in wholes:
                continue
            if len(found) >= _MOST_UNMAPPED:
                break
            _walk(value, self._tree.get(key), key, found, 0)
        return tuple(found)


class _Leaf:
    """The forms of one path, in the tree of known paths."""

    __slots__ = ("_blank", "_takes", "plain")

    def __init__(self, forms: tuple[Form, ...]) -> None:
        self._takes = tuple(form.take for form in forms)
        self._blank = any(form.blank for form in forms)
        self.plain = frozenset().union(*(form.plain for form in forms))

    def understands(self, value: object) -> bool:
        """Whether a value of no plain type is of one of the forms, or says nothing."""
        for take in self._takes:
            if take(value) is not None:
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
    take: Callable[[object], T | None],
) -> T | None:
    for key, below in paths:
        value = record.get(key)
        if value is None:
            continue
        if below:
            value = dig(value, below)
        taken = take(value)
        if taken is not None:
            return taken
    return None


def _gather(value: Any, steps: tuple[str, ...]) -> list[Any]:
    """Every value that a path leads to."""
    for index, step in enumerate(steps):
        if step == _WHOLE:
            break
        if step == _ITEM:
            below = steps[index + 1 :]
            return [found for item in list_of(value) for found in _gather(item, below)]
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


def _walk(value: Any, node: _Tree | None, path: str, found: dict[str, None], depth: int) -> None:
    """Add the paths below that no branch of the tree covers."""
    is_object = isinstance(value, dict)
    if not (is_object or isinstance(value, list)) or depth >= _DEEPEST_UNMAPPED:
        if not node or not (_understands(node, value) or (_LEAF not in node and is_blank(value))):
            found[path] = None
        return
    if not value and (not node or node.keys() == {_LEAF}):
        found[path] = None
    if node and is_object and _ITEM in node and node.keys().isdisjoint(value):
        _walk_in_place_of_list(value, node[_ITEM], path, found, depth)
        return
    steps = value.items() if is_object else ((_ITEM, item) for item in value)
    for step, child in steps:
        if len(found) >= _MOST_UNMAPPED:
            return
        below = node.get(step) if node else None
        if not _covers(below, child):
            _walk(child, below, f"{path}.{step}" if is_object else f"{path}[]", found, depth + 1)


def _walk_in_place_of_list(
    value: dict[str, Any], node: _Tree, path: str, found: dict[str, None], depth: int
) -> None:
    """An object where a list is known is read as `list_of` takes it."""
    items = value.items() if is_numbered(value) else [("", value)]
    for key, item in items:
        if not _covers(node, item):
            _walk(item, node, f"{path}.{key}" if key else path, found, depth + 1)


def _covers(node: _Tree | None, value: Any) -> bool:
    """Whether a branch of the tree is all that there is to say about a value."""
    if not node:
        return False
    return _WHOLE in node or _understands(node, value)


def _understands(node: _Tree, value: Any) -> bool:
    leaf = node.get(_LEAF)
    return leaf is not None and (type(value) in leaf.plain or leaf.understands(value))
