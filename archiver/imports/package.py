"""A package: the files of all its parts as one tree, as readers of exports see it."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, BinaryIO

from archiver.imports.json_stream import read_items, read_value
from archiver.imports.names import counting_key, folded_name, pattern_of
from archiver.imports.parts import DownloadedPart, PartFile
from archiver.models import Record


class OpenPackage:
    """An `archiver.hookspecs.Package`; see there.

    A file that two parts have is one, where its size is the same; else the second has the name of
    its part before its own.
    """

    def __init__(self, parts: Sequence[DownloadedPart]) -> None:
        self.parts = tuple(parts)
        self._files: dict[str, PartFile] = {}
        for part in parts:
            for name, file in part.files.items():
                known = self._files.get(name)
                if known is None:
                    self._files[name] = file
                elif known.size != file.size:
                    self._files[f"{part.path.name}/{name}"] = file

    def __contains__(self, name: str) -> bool:
        return name in self._files

    @property
    def modified_at(self) -> str | None:
        """The time of its newest file, where that is known."""
        return max((part.modified_at for part in self.parts if part.modified_at), default=None)

    @cached_property
    def names(self) -> Sequence[str]:
        """The names of all files."""
        return tuple(sorted(self._files))

    @cached_property
    def _folded(self) -> Sequence[tuple[str, str]]:
        return [(folded_name(name), name) for name in self._files]

    def find(self, pattern: str) -> Sequence[str]:
        """The files whose path ends with a pattern, sorted as people count."""
        matches = pattern_of(pattern).match
        return sorted((name for folded, name in self._folded if matches(folded)), key=counting_key)

    def size(self, name: str) -> int:
        """The bytes of a file."""
        return self._files[name].size

    def time_of(self, name: str) -> str | None:
        """The time of a file, as its container has it."""
        return self._files[name].modified_at

    def open(self, name: str) -> BinaryIO:
        """The content of a file."""
        return self._files[name].open()

    def records(self, name: str, key: str = "") -> Iterator[Record]:
        """The items of a JSON list, one at a time."""
        with self.open(name) as file:
            yield from read_items(file, name, key)

    def json(self, name: str) -> Any:
        """The value of a JSON file."""
        with self.open(name) as file:
            return read_value(file, name)
