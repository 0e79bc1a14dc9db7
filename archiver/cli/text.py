"""Text for terminals: making foreign text safe, tables, wrapping, by display width."""

import os
import sys
import unicodedata
from collections.abc import Collection, Iterable, Sequence

import click

from archiver.cli.streams import may_colour

WIDTH = 80
_NARROWEST = 8  # columns of the screen that a cut column of a table still has
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINER = "\u200d"
_WIDTHLESS = frozenset({"Mn", "Me", "Cf"})
_MAX_MARKS = 6  # in a row, as the flags of England and Scotland have
_MAX_PER_COLUMN = 8  # characters, as a family of emoji has


def safe(text: object) -> str:
    r"""Foreign text on one line, without characters that control a terminal.

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
        if marks <= _MAX_MARKS or character in _BIDI:
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
    """The text, cut to a width with an ellipsis; also where it has too many characters."""
    if text.isascii() and len(text) <= width:
        return text
    columns, fits = 0, 0  # `fits`: so many characters leave room for the ellipsis
    for index, character in enumerate(text):
        columns += _width_of_character(character)
        if columns > width or index >= width * _MAX_PER_COLUMN:
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


class Coloured(str):
    """The text of a cell that is printed in a colour, by Click's name of it."""

    __slots__ = ("colour",)

    def __new__(cls, text: object, colour: str) -> "Coloured":
        """The text in that colour."""
        made = super().__new__(cls, text)
        made.colour = colour
        return made

    colour: str


def table(
    rows: Iterable[Sequence[object]], head: Sequence[str] = (), *, right: Iterable[int] = (),
    spare: Iterable[int] = (), whole: Iterable[int] = (),
) -> str:  # fmt: skip
    """Rows in columns that fit the screen.

    Cells are made safe. `right` numbers the columns that are aligned to the right. Where the screen
    is too narrow, columns without a value are left out, then those in `spare`, in their order; then
    the widest columns are cut, but for those in `whole`.
    """
    bodies = [list(row) for row in rows]
    cells = [[safe("" if cell is None else cell) for cell in row] for row in bodies]
    if head:
        cells.insert(0, [*head])
        bodies.insert(0, [*head])
    if not cells:
        return ""
    widths = [max(map(width_of, column)) for column in zip(*cells, strict=True)]
    shown = _visible_columns(cells[1:] if head else [], widths, spare)
    fitting = _fitting({number: widths[number] for number in shown}, set(whole))
    aligned = set(right)

    def line(body: Sequence[object], row: Sequence[str], *, is_head: bool) -> str:
        columns = [
            pad(cut(row[number], width), width, right=number in aligned)
            for number, width in fitting.items()
        ]
        columns[-1] = columns[-1].rstrip()
        if is_head:
            return styled("  ".join(columns).rstrip(), bold=True)
        painted = (
            styled(text, cell.colour) if isinstance(cell := body[number], Coloured) else text
            for number, text in zip(fitting, columns, strict=True)
        )
        return "  ".join(painted).rstrip()

    return "\n".join(
        line(body, row, is_head=bool(head) and number == 0)
        for number, (body, row) in enumerate(zip(bodies, cells, strict=True))
    )


def styled(text: str, colour: str | None = None, *, bold: bool = False) -> str:
    """Text in a style, which `click.echo` takes out again where there is no terminal."""
    return click.style(text, fg=colour, bold=bold or None) if may_colour() else text


def _visible_columns(
    body: Sequence[Sequence[str]], widths: Sequence[int], spare: Iterable[int]
) -> list[int]:
    """The columns that there is room for."""
    shown = list(range(len(widths)))
    empty = [number for number in shown if body and not any(row[number] for row in body)]
    for number in [*empty, *spare]:
        if sum(widths[n] for n in shown) + 2 * (len(shown) - 1) <= screen_width():
            break
        if number in shown:
            shown.remove(number)
    return shown


def _fitting(widths: dict[int, int], whole: Collection[int]) -> dict[int, int]:
    """The widths of columns so that they fit the screen; `whole` columns are not cut."""
    too_wide = sum(widths.values()) + 2 * (len(widths) - 1) - screen_width()
    can_go = [width - _NARROWEST for n, width in widths.items() if n not in whole]
    if whole and too_wide > sum(spare for spare in can_go if spare > 0):
        return widths
    while too_wide > 0:
        number = max((n for n in widths if n not in whole), key=lambda n: widths[n])
        if widths[number] <= _NARROWEST:
            break
        widths[number] -= 1
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
