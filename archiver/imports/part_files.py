"""The names and places of the files of a part, in little memory: there may be a million of them.

They are columns of numbers and two texts of all names, in order: as objects of their own, each file
would take some ten times as much.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate
from math import nan
from typing import Any, NamedTuple

from archiver.imports.names import folded_name, pattern_of


class PartFile(NamedTuple):
    """One file of a part: its confined name, its size in bytes, and where its content is.

    `seconds` is its time, since 1970, where the container has one. `packed`, `crc`, `method` and
    `flags` are those of a ZIP. `original` is its name in the container.
    """

    name: str
    size: int
    seconds: float = nan
    offset: int = 0
    packed: int = 0
    crc: int = 0
    method: int = 0
    flags: int = 0
    original: str = ""


_TYPES = "QdQQIHH"  # of the columns between the two names, as array has them
_CODING = ("utf-8", "surrogatepass")  # a name may be bytes that are no Unicode


class PartFiles:
    """The files of a part, by their names; of two with one name the later counts, as in a ZIP."""

    def __init__(self, files: Iterable[PartFile] = ()) -> None:
        names: list[str] = []
        columns: tuple[array[Any], ...] = tuple(array(kind) for kind in _TYPES)
        originals: dict[str, str] = {}
        for name, *numbers, original in files:
            names.append(name)
            for column, number in zip(columns, numbers, strict=True):
                column.append(number)
            originals.pop(name, None)
            if original and original != name:
                originals[name] = original
        order = _last_of_each(names)
        self._originals = originals
        self._columns = tuple(array(each.typecode, (each[at] for at in order)) for each in columns)
        self._names = _Texts(names[at] for at in order)
        self._folded = _Texts(folded_name(names[at]) for at in order)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return map(self._names.text, range(len(self)))

    def __contains__(self, name: str) -> bool:
        return self._names.index(name) is not None

    @property
    def size(self) -> int:
        """The bytes of all files together."""
        return sum(self._columns[0])

    def get(self, name: str) -> PartFile | None:
        """The file of that name, if there is one."""
        index = self._names.index(name)
        if index is None:
            return None
        numbers = (column[index] for column in self._columns)
        return PartFile._make((name, *numbers, self._originals.get(name, name)))

    def starting(self, prefix: str) -> Iterator[str]:
        """The names that begin so, in order."""
        for index in range(self._names.place(prefix), len(self)):
            name = self._names.text(index)
            if not name.startswith(prefix):
                return
            yield name

    def find(self, pattern: str) -> Iterator[str]:
        """The names whose path ends with a pattern, in order; see `Package.find`."""
        return map(self._names.text, self._folded.found(pattern))


class _Texts:
    """Texts in order, as one; none has the character 0."""

    def __init__(self, texts: Iterable[str]) -> None:
        pieces = [text.encode(*_CODING) for text in texts]
        self._all = b"\0".join(pieces)
        self._starts = array("Q", accumulate((len(each) + 1 for each in pieces), initial=0))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def text(self, index: int) -> str:
        return self._bytes(index).decode(*_CODING)

    def place(self, text: str) -> int:
        """Where a text is, or would be."""
        return bisect_left(range(len(self)), text.encode(*_CODING), key=self._bytes)

    def index(self, text: str) -> int | None:
        """Where a text is, if it is one of these."""
        index = self.place(text)
        return index if index < len(self) and self.text(index) == text else None

    def found(self, pattern: str) -> Iterator[int]:
        """Which of the texts, taken as folded paths, end with a pattern."""
        matches = pattern_of(pattern).finditer(self._all) if len(self) else ()
        for match in matches:
            yield bisect_left(self._starts, match.end() + 1) - 1

    def _bytes(self, index: int) -> bytes:
        return self._all[self._starts[index] : self._starts[index + 1] - 1]


def _last_of_each(names: list[str]) -> list[int]:
    """The places of the names, sorted; of equal ones the last."""
    order = sorted(range(len(names)), key=names.__getitem__)
    return [
        at for number, at in enumerate(order, 1)
        if number == len(order) or names[at] != names[order[number]]
    ]  # fmt: skip
