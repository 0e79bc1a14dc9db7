"""The line of each key in a TOML file, which `tomllib` does not tell.

The text has been parsed by `tomllib` before, so it consists of statements that can be parsed one
by one: lines are added to a statement until `tomllib` accepts it.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

KeyPath = tuple[str | int, ...]
"""The path of a value: table names, list indexes and a key, `("accounts", 0, "name")`."""

_ENDS = ("]", '"""', "'''")
"""The last line of a value of several lines contains one of these."""


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of each table and each key."""
    found: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for line, statement, document in _statements(text):
        paths = list(_paths(document))
        if statement.lstrip(" \t").startswith("["):
            names = max(paths, key=len, default=())
            table = _table_path(names, counts)
            if statement.lstrip(" \t").startswith("[["):
                counts[table] = counts.get(table, -1) + 1
                found.setdefault(table, line)
                table = (*table, counts[table])
            paths = [()]
        for path in paths:
            found.setdefault((*table, *path), line)
    return found


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """The line of a key, or of the nearest table around it; None for the file as a whole."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The number of each statement's first line, its text, and the document it makes alone."""
    statement, begin = "", 1
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        is_continued = bool(statement)
        statement += f"{line}\n"
        if is_continued and not any(end in line for end in _ENDS):
            continue
        try:
            document = tomllib.loads(statement)
        except (ValueError, RecursionError):
            continue
        if document:
            yield begin, statement, document
        statement, begin = "", number + 1


def _paths(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The paths of all keys in a document."""
    for name, value in document.items():
        yield (name,)
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            yield from ((name, *path) for path in _paths(inner))


def _table_path(names: tuple[str, ...], counts: Mapping[KeyPath, int]) -> KeyPath:
    """The path of a table header: in an array of tables, it means the last entry so far."""
    path: KeyPath = ()
    for position, name in enumerate(names):
        path = (*path, name)
        if path in counts and position < len(names) - 1:
            path = (*path, counts[path])
    return path
