"""Decodes and parses TOML files, with messages for the usual mistakes.

Such as: another encoding than UTF-8, typographic quotes from a word processor, a no-break space, a
backslash in a path in double quotes.
"""

import re
import tomllib
from typing import Any, NamedTuple

from archiver.characters import describe_character, first_invisible, typographic_quote
from archiver.errors import ConfigError

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SAVE = "Save the file as UTF-8"
_POWERSHELL = (
    f"{_SAVE}. Windows PowerShell 5.1 writes UTF-16 with > and >>; it writes UTF-8 with: "
    "… | Out-File -Append -Encoding utf8 archive.toml"
)
_ONE_LINE = 'A setting is one line, key = value; text stands in quotes: name = "acme"'
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")


class SyntaxProblem(NamedTuple):
    """What is wrong in a text, at an offset in it. `what` follows the line and the column."""

    offset: int
    what: str
    why: str | None = None
    hint: str | None = None


def decode(data: bytes, name: str) -> str:
    """The text of a file called `name`, without carriage returns. Raises ConfigError."""
    if data.startswith(_UTF_16):
        raise ConfigError(f"{name}: this is UTF-16, not UTF-8", hint=_POWERSHELL)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bom = 3 * data.startswith(b"\xef\xbb\xbf")
        before = data[bom : bom + error.start].decode("utf-8")
        raise _error(_not_utf_8(data[bom:], error.start, before), before, name) from None
    text = text.replace("\r\n", "\n")
    if (at := text.find("\0")) >= 0:
        raise _error(_zero_byte(text, at), text, name)
    return text


def parse(text: str, name: str) -> dict[str, Any]:
    """The document in a text. Raises ConfigError."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{name}: this is nested too deep") from None
    except ValueError as error:
        raise _error(_explain(text, str(error)), text, name) from None


def backslash_hint(key: str) -> str:
    """Both ways to write a backslash."""
    return (
        rf"In single quotes a backslash is only itself: {key} = 'C:\Users\me'. "
        rf'In double quotes it takes two: {key} = "C:\\Users\\me"'
    )


def _error(problem: SyntaxProblem, text: str, name: str) -> ConfigError:
    line = text.count("\n", 0, problem.offset) + 1
    column = problem.offset - (text.rfind("\n", 0, problem.offset) + 1) + 1
    where = f"{name}, line {line}, column {column}"
    return ConfigError(f"{where}: {problem.what}", why=problem.why, hint=problem.hint)


def _not_utf_8(data: bytes, start: int, before: str) -> SyntaxProblem:
    if data.startswith(_UTF_16, start):
        return SyntaxProblem(
            len(before), "from here on this is UTF-16, not UTF-8", hint=_POWERSHELL
        )
    byte = data[start : start + 1]
    meant = byte.decode("cp1252", "replace")
    shown = meant if meant.isprintable() else describe_character(meant)
    guess = "" if meant == "\ufffd" else f". In Windows-1252 and Latin-1 it is {shown}"
    why = f"The byte {byte.hex().upper()} begins no character of UTF-8{guess}"
    return SyntaxProblem(len(before), "this is not UTF-8", why, _SAVE)


def _zero_byte(text: str, at: int) -> SyntaxProblem:
    """The problem with a zero byte: in UTF-16, every second byte of Latin text is one."""
    if text[at + 2 : at + 3] == "\0" or text[max(0, at - 2) : at - 1] == "\0":
        return SyntaxProblem(at, "from here on this is UTF-16, not UTF-8", hint=_POWERSHELL)
    return SyntaxProblem(at, "there is a zero byte", hint="Delete it")


def _explain(text: str, message: str) -> SyntaxProblem:
    """What is wrong: by the parser's message, and by the characters where it stopped."""
    offset = _offset_in(text, message)
    begin = text.rfind("\n", 0, offset) + 1
    what = "this is not TOML"
    if "escape" in message or "hex value" in message:
        backslash = text.rfind("\\", begin, offset)
        key = _KEY.match(text, begin)
        hint = backslash_hint(key[1] if key else "directory")
        why = "In double quotes a backslash begins an escape, and there is none like this"
        return SyntaxProblem(backslash if backslash >= 0 else offset, what, why, hint)
    if (at := _find_stray(text, begin, offset)) is not None:
        character = text[at]
        if quote := typographic_quote(character):
            hint = f"Type the straight quote: {quote}"
        elif first_invisible(character) is not None:
            hint = "Delete it, or type an ordinary space"
        else:
            hint = "Type the ASCII character that it looks like, or put the text in quotes"
        why = f"TOML does not allow this character here: {describe_character(character)}"
        return SyntaxProblem(at, what, why, hint)
    why = _POSITION.sub("", message)
    if why.startswith(("Cannot declare", "Cannot overwrite", "Cannot mutate")):
        return SyntaxProblem(offset, what, "This table or key was defined before", "Merge the two")
    return SyntaxProblem(offset, what, why, _ONE_LINE)


def _offset_in(text: str, message: str) -> int:
    """The offset where the parser stopped; for the end of the text, that of its last line."""
    position = _POSITION.search(message)
    if position is None or position[1] is None:
        return len(text.rstrip("\n"))
    begin = 0
    for _ in range(int(position[1]) - 1):
        begin = text.index("\n", begin) + 1
    return min(begin + int(position[2]) - 1, len(text))


def _find_stray(text: str, begin: int, offset: int) -> int | None:
    """The offset of a character that is probably a mistake.

    It is where the parser stopped, or it is a typographic quote that was meant to end a text.
    """
    if offset < len(text) and text[offset] != "\n":
        character = text[offset]
        is_stray = not (character.isascii() and character.isprintable()) or character == "`"
        return offset if is_stray else None
    quotes = [at for at in range(begin, offset) if typographic_quote(text[at])]
    return quotes[-1] if quotes else None
