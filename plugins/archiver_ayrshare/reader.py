"""A platform's table, compiled: columns, metrics, content and what nobody has read, at speed.

An archive of 100,000 posts is read record by record at every full look, so what can be prepared
once is prepared here, and the common case is a handful of dictionary look-ups.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from archiver import Alias, Metric
from archiver_ayrshare.fields import Fields, steps_of
from archiver_ayrshare.values import content_of, dig, id_of, number_of, text_of, time_of, url_of

T = TypeVar("T")
_Tree = dict[str, Any]

_LEAF = ""  # the mark, in the tree of known paths, of one that may end here
_WHOLE = "*"  # the mark of one that is known with everything below it
_MOST_UNREAD = 100
_DEEPEST_UNREAD = 12

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
                number = number_of(value)
                if number is not None:
                    found.setdefault(name, number)
        return tuple([Metric(name, value) for name, value in found.items()])


class Reader:
    """What a platform's table says of one record. Pure, and total: any record will do."""

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
        self._dates = tuple((steps_of(path), path) for path in fields.created_at)
        self._content = tuple((steps_of(path), name) for path, name in fields.content.items())
        self._tree = _tree(path for path, _ in fields.rows())
        self._scalars = frozenset(key for key, node in self._tree.items() if _LEAF in node)
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
        value = _first(record, self._visibility, text_of)
        return value.lower() if value else None

    def author(self, record: Mapping[str, Any]) -> str | None:
        """The handle of who wrote it."""
        return _first(record, self._author, text_of)

    def aliases(self, record: Mapping[str, Any]) -> tuple[Alias, ...]:
        """Other ids of the same post."""
        platform_id = id_of(record.get("id"))
        found: list[Alias] = []
        for steps, scheme in self._aliases:
            if steps[0] not in record:
                continue
            for value in _gather(record, steps):
                other = id_of(value)
                if other is not None and other != platform_id:
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

        A date of publication in no known form is one of them, and a word that is not known.
        """
        scalars, wholes = self._scalars, self._wholes
        found: dict[str, None] = {}
        for steps, path, words in self._words:
            if steps[0] in record and any(_is_news(v, words) for v in _gather(record, steps)):
                found[path] = None
        if self.created_at(record) is None:
            for steps, path in self._dates:
                if steps[0] in record and dig(record, steps) not in (None, ""):
                    found[path] = None
        for key, value in record.items():
            if key in wholes or (key in scalars and not isinstance(value, (dict, list))):
                continue
            if len(found) >= _MOST_UNREAD:
                break
            _walk(value, self._tree.get(key), key, found, 0)
        return tuple(found)


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
        if step == "[]":
            items = value if isinstance(value, list) else []
            return [found for item in items for found in _gather(item, steps[index + 1 :])]
        if not isinstance(value, dict) or step not in value:
            return []
        value = value[step]
    return [value]


def _is_news(value: Any, words: frozenset[str]) -> bool:
    return isinstance(value, str) and bool(value) and value.lower() not in words


def _tree(paths: Iterable[str]) -> _Tree:
    tree: _Tree = {}
    for path in paths:
        node = tree
        for step in steps_of(path):
            node = node.setdefault(step, {})
        node.setdefault(_LEAF, {})
    return tree


def _rank(hit: tuple[tuple[int, str], Any]) -> int:
    return hit[0][0]


def _walk(value: Any, node: _Tree | None, path: str, found: dict[str, None], depth: int) -> None:
    """Add the paths below that no branch of the tree covers."""
    is_object = isinstance(value, dict)
    if not (is_object or isinstance(value, list)) or depth >= _DEEPEST_UNREAD:
        if node is None or not (value is None or _LEAF in node):
            found[path] = None
        return
    if not value and node is None:
        found[path] = None
    steps = value.items() if is_object else (("[]", item) for item in value)
    for step, child in steps:
        if len(found) >= _MOST_UNREAD:
            return
        below = node.get(step) if node else None
        if not _covers(below, child):
            _walk(child, below, f"{path}.{step}" if is_object else f"{path}[]", found, depth + 1)


def _covers(node: _Tree | None, value: Any) -> bool:
    """Whether a branch of the tree is all that there is to say about a value."""
    if not node:
        return False
    return _WHOLE in node or (_LEAF in node and not isinstance(value, (dict, list)))
