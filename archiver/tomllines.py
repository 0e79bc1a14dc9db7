"""On which line of a TOML file each key stands, which `tomllib` does not say.

The text has been accepted by `tomllib` before, so each statement is one that it reads by itself:
as many lines as it takes until it does.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

KeyPath = tuple[str | int, ...]
"""Where a value stands: table names, list positions and a key, `("accounts", 0, "name")`."""

_ENDS = ("]", '"""', "'''")
"""One of these stands on the last line of whatever takes several."""


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
    """Each statement, with the number of its first line and the document that it is alone."""
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
    """The path of a header, which goes through the newest entry of each list of tables."""
    path: KeyPath = ()
    for position, name in enumerate(names):
        path = (*path, name)
        if path in counts and position < len(names) - 1:
            path = (*path, counts[path])
    return path
