"""A fake `Package`: files that are in memory."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from archiver.imports.names import confined_name
from archiver.imports.package import OpenPackage
from archiver.imports.parts import DownloadedPart, OpenFile, PartFile


class FakePackage(OpenPackage):
    """A `Package` with these files, as `archiver import` would open them, by their names."""

    def __init__(self, files: Mapping[str, bytes | str]) -> None:
        part = DownloadedPart(Path("export.zip"), 0)
        for name, content in files.items():
            body = content.encode() if isinstance(content, str) else content
            part.add(confined_name(name), PartFile(len(body), _opener(body)))
            part.size += len(body)
        super().__init__([part])


def _opener(body: bytes) -> OpenFile:
    def open_file() -> BinaryIO:
        return io.BytesIO(body)

    return open_file
