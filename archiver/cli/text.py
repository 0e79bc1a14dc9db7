"""Text for people: foreign text made harmless, columns, wrapping, all by width on the screen."""

import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence

WIDTH = 80
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINER = "\u200d"
_WIDTHLESS = frozenset({"Mn", "Me", "Cf"})
_MOST_MARKS = 6  # in a row, as the flags of England and Scotland have
_MOST_PER_COLUMN = 8  # characters, as a family of emoji has


def safe(text: object) -> str:
    r"""Text from elsewhere on one line that cannot steer a terminal.

    White space of any kind becomes a space; control characters, direction marks and what no
    encoding can say become visible escapes. Of marks that pile up, six are kept.

    >>> safe("a\x1b[31mb\nc")
    'a\\x1b[31mb c'
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in _WIDTHLESS else 0
        if marks <= _MOST_MARKS or character in _BIDI:
            kept.append(_safe_character(character))
    return "".join(kept)


def _safe_character(character: str) -> str:
    if character.isspace() and character != "\x1c":
        return " "
    if character in _BIDI or unicodedata.category(character) in {"Cc", "Cs"}:
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    return character


def width_of(text: str) -> int:
    """Columns that a text takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_width_of_character(character) for character in text)


def _width_of_character(character: str) -> int:
    if character == _JOINER or unicodedata.category(character) in _WIDTHLESS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cut(text: str, width: int) -> str:
    """The text, ending in an ellipsis where it is wider, or of many more characters than that."""
    if text.isascii() and len(text) <= width:
        return text
    columns, fits = 0, 0  # `fits`: so many characters leave room for the ellipsis
    for index, character in enumerate(text):
        columns += _width_of_character(character)
        if columns > width or index >= width * _MOST_PER_COLUMN:
            return f"{text[:fits]}…"
        if columns < width:
            fits = index + 1
    return text


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text filled up with spaces, on its left where `right` aligns it to the right."""
    spaces = " " * (width - width_of(text))
    return spaces + text if right else text + spaces


def wrap(text: str, first: str = "", rest: str = "", width: int | None = None) -> str:
    """The words of a text on lines that fit; `first` and `rest` begin the lines."""
    width = screen_width() if width is None else width
    lines, line = [], first
    for word in text.split():
        begun = line not in {first, rest}
        if begun and width_of(line) + 1 + width_of(word) > width:
            lines.append(line)
            line, begun = rest, False
        line = f"{line} {word}" if begun else line + word
    return "\n".join([*lines, line])


def table(
    rows: Iterable[Sequence[object]], head: Sequence[str] = (), *, right: Iterable[int] = ()
) -> str:
    """Rows in columns that fit the screen; the widest column gives way where they do not.

    Cells are made safe. `right` numbers the columns that are aligned to the right.
    """
    cells = [[safe("" if cell is None else cell) for cell in row] for row in rows]
    if head:
        cells.insert(0, [*head])
    if not cells:
        return ""
    widths = _fitting([max(map(width_of, column)) for column in zip(*cells, strict=True)])
    aligned = set(right)
    return "\n".join(
        "  ".join(
            pad(cut(cell, width), width, right=number in aligned)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def _fitting(widths: list[int]) -> list[int]:
    too_wide = sum(widths) + 2 * (len(widths) - 1) - screen_width()
    while too_wide > 0 and max(widths) > 8:
        widest = widths.index(max(widths))
        widths[widest] -= 1
        too_wide -= 1
    return widths


def screen_width() -> int:
    """Columns of the screen, at most eighty: longer lines are hard to read."""
    # as shutil has it, which would bring every compression there is
    try:
        columns = int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        columns = 0
    if columns <= 0:
        try:
            columns = os.get_terminal_size(sys.__stdout__.fileno()).columns  # type: ignore[union-attr]  # None is caught
        except (AttributeError, ValueError, OSError):
            columns = WIDTH
    return max(40, min(WIDTH, columns or WIDTH))
