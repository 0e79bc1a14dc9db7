"""Reading JSON lists of any size, one item at a time, with the exact text of each.

A file of posts may be larger than the memory of the machine. It is decoded and parsed piece by
piece; what is held is one item and the piece that it ends in.
"""

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from archiver.errors import PackageError
from archiver.models import Record

_PIECE = 1 << 20  # bytes
_LARGEST_ITEM = 64 << 20  # characters
_LARGEST_VALUE = 256 << 20  # of a whole file that is no list
_DEEPEST = 8  # levels of a value that is skipped piece by piece; what is below them is small
_NO_JSON = "It is no JSON, or cut off"
_BLANKS = " \t\n\r"
_ASSIGNMENT = re.compile(r"[^=\[{]*=[^\[{]*[\[{]")
_NUMBER_REST = re.compile(r"[-+.\dEe]*", re.ASCII)
_LONGEST_ASSIGNMENT = 10_000  # characters
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")
)  # fmt: skip


def read_items(file: BinaryIO, name: str, key: str = "") -> Iterator[Record]:
    """The items of a list; see `Package.records`. `name` is for messages. Raises PackageError."""
    text = _JsonText(file, name, _LARGEST_ITEM)
    text.skip_assignment()
    first = text.peek()
    if first == "[" and not key:
        yield from text.items()
    elif first == "{" and key:
        yield from _items_under(text, key.split("/"))
    elif first == "{":
        yield text.value()
    else:
        raise text.error("It is neither a list nor an object of JSON")
    text.end()


def read_value(file: BinaryIO, name: str) -> Any:
    """The value of a whole file. Raises PackageError."""
    text = _JsonText(file, name, _LARGEST_VALUE)
    text.skip_assignment()
    found = text.value().data
    text.end()
    return found


def _items_under(text: "_JsonText", keys: Sequence[str]) -> Iterator[Record]:
    """The items of the lists that stand under a key of an object, or under keys in it."""
    text.take("{")
    while text.peek() != "}":
        name = text.value().data
        text.take(":")
        if name == keys[0] and len(keys) > 1 and text.peek() == "{":
            yield from _items_under(text, keys[1:])
        elif name == keys[0] and len(keys) == 1 and text.peek() == "[":
            yield from text.items()
        elif name == keys[0] and len(keys) == 1 and text.peek() == "{":
            yield text.value()
        else:
            text.skip()
        if text.peek() != "}":
            text.take(",")
    text.take("}")


class _JsonText:
    """JSON text that is read from a file as far as it is needed."""

    def __init__(self, file: BinaryIO, name: str, largest: int) -> None:
        self._file = file
        self._name = name
        self._largest = largest
        head = file.read(_PIECE)
        encoding = next((each for mark, each in _MARKS if head.startswith(mark)), "utf-8")
        self._decode = codecs.getincrementaldecoder(encoding)("surrogateescape").decode
        self._scan = json.JSONDecoder().raw_decode
        self._is_over = not head
        self._text = self._decode(head, final=self._is_over)
        self._at = 0

    def skip_assignment(self) -> None:
        """Skip what precedes the JSON in a JavaScript file: `window.YTD.tweets.part0 = `."""
        if self.peek() in {"[", "{"}:
            return
        while (match := _ASSIGNMENT.match(self._text, self._at)) is None:
            if len(self._text) - self._at > _LONGEST_ASSIGNMENT or not self._fill(_PIECE):
                raise self.error(_NO_JSON)
        self._at = match.end() - 1

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _BLANKS:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if not self._fill(_PIECE):
                return ""

    def take(self, character: str) -> None:
        """Take the next character, which has to be this one. Raises PackageError."""
        if self.peek() != character:
            raise self.error(f"Its JSON lacks a {character}, or it is cut off")
        self._at += 1

    def items(self) -> Iterator[Record]:
        """The items of the list that begins here."""
        self.take("[")
        while self.peek() != "]":
            yield self.value()
            if self.peek() != "]":
                self.take(",")
        self.take("]")

    def skip(self, depth: int = 0) -> None:
        """Skip the value that begins here, however large it is. Raises PackageError."""
        if self.peek() not in {"[", "{"} or depth == _DEEPEST:
            self.value()
            return
        is_object = self.peek() == "{"
        end = "}" if is_object else "]"
        self._at += 1
        while self.peek() != end:
            if is_object:
                self.value()
                self.take(":")
            self.skip(depth + 1)
            if self.peek() != end:
                self.take(",")
        self.take(end)

    def value(self) -> Record:
        """The value that begins here. Raises PackageError."""
        self.peek()
        size = _PIECE
        while True:
            try:
                data, end = self._scan(self._text, self._at)
            except RecursionError:
                raise self.error("Its JSON is nested too deep") from None
            except ValueError:
                end = len(self._text)
                if self._is_over:
                    raise self.error(_NO_JSON) from None
            else:
                rest = _NUMBER_REST.match(self._text, end)  # of 1.5, "1." may be all that is read
                if self._is_over or (rest is not None and rest.end() < len(self._text)):
                    found = Record(self._text[self._at : end], data)
                    self._at = end
                    return found
            if end - self._at > self._largest:
                raise self.error("A value in it is too large, or it is no JSON")
            self._fill(size)
            size *= 2

    def end(self) -> None:
        """Raise PackageError where anything but blanks and a semicolon is left."""
        if self.peek() == ";":
            self._at += 1
        if self.peek():
            raise self.error("Something stands behind the end of its JSON")

    def error(self, why: str) -> PackageError:
        """The error for text that is not JSON."""
        return PackageError(
            f"{self._name} cannot be read",
            why=why,
            kept="Nothing of this package was imported",
            hint="Download the export again; if that does not help, its layout is one that this "
            "version does not know",
            code="not_json",
        )

    def _fill(self, size: int) -> bool:
        """Read more; returns whether there was any."""
        data = self._file.read(size)
        self._is_over = not data
        self._text = self._text[self._at :] + self._decode(data, final=self._is_over)
        self._at = 0
        return bool(data)
