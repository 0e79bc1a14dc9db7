"""On which line of a TOML file each key stands, which `tomllib` does not say.

The text has been accepted by `tomllib` before; this only has to find the keys in it again.
"""

import ast
import re
from collections.abc import Iterator, Mapping

KeyPath = tuple[str | int, ...]
"""Where a value stands: table names, list positions and a key, `("accounts", 0, "name")`."""

_KEY_PART = re.compile(r"""[ \t]*("(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_SPACE = re.compile(r"[ \t\n]*")
_VALUE_PART = re.compile(
    r"""
      \"{3}(?:\\.|[^\\])*?\"{3,5}         # a text over several lines
    | '{3}.*?'{3,5}
    | "(?:\\.|[^"\\\n])*" | '[^'\n]*'     # a text on one line
    | \#[^\n]*                            # a comment
    | [\[{] | [\]}] | \n
    | [^"'\#\[\]{}\n]+
    """,
    re.VERBOSE | re.DOTALL,
)


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of each table header and each key outside inline tables."""
    text = text.replace("\r\n", "\n")
    found: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    line, counted = 1, 0
    for offset, brackets, names in _statements(text):
        line += text.count("\n", counted, offset)
        counted = offset
        if brackets == 0:
            found.setdefault((*table, *names), line)
            continue
        table = _table_path(names, counts)
        if brackets == 2:
            number = counts.get(table, -1) + 1
            counts[table] = number
            found.setdefault(table, line)
            table = (*table, number)
        found.setdefault(table, line)
    return found


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """The line of a key, or of the nearest table around it; None for the file as a whole."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _table_path(names: tuple[str, ...], counts: Mapping[KeyPath, int]) -> KeyPath:
    """The path of a header, which goes through the newest entry of each list of tables."""
    path: KeyPath = ()
    for position, name in enumerate(names):
        path = (*path, name)
        if path in counts and position < len(names) - 1:
            path = (*path, counts[path])
    return path


def _statements(text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Offset, number of opening brackets (0 for a key) and names of each statement."""
    at = 0
    while at < len(text):
        start = _end_of_space(text, at)
        if start >= len(text):
            return
        brackets = 2 if text.startswith("[[", start) else int(text[start] == "[")
        names, at = _names(text, start + brackets)
        if names:
            yield start, brackets, names
        at = _end_of_value(text, at + brackets)


def _end_of_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _names(text: str, at: int) -> tuple[tuple[str, ...], int]:
    names: list[str] = []
    while match := _KEY_PART.match(text, at):
        part = match[1]
        names.append(part if part[0] not in "\"'" else _unquoted(part))
        at = match.end()
        if not text.startswith(".", at):
            break
        at += 1
    return tuple(names), at


def _unquoted(part: str) -> str:
    try:
        return part[1:-1] if part[0] == "'" else str(ast.literal_eval(part))
    except (ValueError, SyntaxError):
        return part[1:-1]


def _end_of_value(text: str, at: int) -> int:
    """The offset behind the line end that closes the statement."""
    depth = 0
    while match := _VALUE_PART.match(text, at):
        at = match.end()
        part = match[0]
        if part in {"[", "{"}:
            depth += 1
        elif part in {"]", "}"}:
            depth -= 1
        elif part == "\n" and depth <= 0:
            return at
    return at if at >= len(text) else at + 1
