"""A package: the files of all its parts as one tree, as readers of exports see it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from heapq import merge
from itertools import groupby, repeat
from operator import itemgetter
from typing import Any, BinaryIO

from archiver.imports.json_stream import read_items, read_value
from archiver.imports.names import counting_key
from archiver.imports.parts import DownloadedPart
from archiver.models import Record


class OpenPackage:
    """An `archiver.hookspecs.Package`; see there.

    A file that two parts have is one, where its size is the same; else the second has the name of
    its part before its own.
    """

    def __init__(self, parts: Sequence[DownloadedPart]) -> None:
        self.parts = tuple(parts)

    def __contains__(self, name: str) -> bool:
        return any(name in part.files for part in self.parts) or name in self._others

    @property
    def modified_at(self) -> str | None:
        """The time of its newest file, where that is known."""
        return max((part.modified_at for part in self.parts if part.modified_at), default=None)

    @property
    def names(self) -> Sequence[str]:
        """The names of all files; they are not kept, since there may be very many."""
        own = (iter(part.files) for part in self.parts)
        return tuple(name for name, _ in groupby(merge(*own, sorted(self._others))))

    @cached_property
    def _others(self) -> Mapping[str, tuple[DownloadedPart, str]]:
        """Files of another size than one of that name in an earlier part, by their names here."""
        if len(self.parts) == 1:
            return {}
        named = (zip(part.files, repeat(number)) for number, part in enumerate(self.parts))
        found = {}
        for name, same in groupby(merge(*named), key=itemgetter(0)):
            first, *later = (self.parts[number] for _, number in same)
            for part in later:
                if part.file(name).size != first.file(name).size:
                    found[f"{part.path.name}/{name}"] = (part, name)
        return found

    def _place(self, name: str) -> tuple[DownloadedPart, str]:
        """The part that has a file, and its name there. Raises KeyError."""
        first = next((part for part in self.parts if name in part.files), None)
        return self._others[name] if first is None else (first, name)

    def find(self, pattern: str) -> Sequence[str]:
        """The files whose path ends with a pattern, sorted as people count."""
        own = {part: frozenset(part.files.find(pattern)) for part in self.parts}
        others = (name for name, (part, other) in self._others.items() if other in own[part])
        return sorted(frozenset(others).union(*own.values()), key=counting_key)

    def starting(self, prefix: str) -> Sequence[str]:
        """The files whose name starts with a prefix."""
        found = {name for part in self.parts for name in part.files.starting(prefix)}
        return sorted(found | {name for name in self._others if name.startswith(prefix)})

    def size(self, name: str) -> int:
        """The bytes of a file."""
        part, own = self._place(name)
        return part.file(own).size

    def time_of(self, name: str) -> str | None:
        """The time of a file, as its container has it."""
        part, own = self._place(name)
        return part.time_of(own)

    def open(self, name: str) -> BinaryIO:
        """The content of a file."""
        part, own = self._place(name)
        return part.open_file(part.file(own))

    def records(self, name: str, key: str = "") -> Iterator[Record]:
        """The items of a JSON list, one at a time."""
        with self.open(name) as file:
            yield from read_items(file, self._shown(name), key)

    def json(self, name: str) -> Any:
        """The value of a JSON file."""
        with self.open(name) as file:
            return read_value(file, self._shown(name))

    def _shown(self, name: str) -> str:
        """A file with its part, for messages."""
        part, own = self._place(name)
        return own if own == part.path.name else f"{own} in {part.path.name}"
