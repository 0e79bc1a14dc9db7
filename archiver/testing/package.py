"""A fake `Package`: files that are in memory."""

import io
from collections.abc import Mapping
from pathlib import Path

from archiver.imports.names import confined_name
from archiver.imports.package import OpenPackage
from archiver.imports.part_files import PartFile
from archiver.imports.parts import DownloadedPart


class FakePackage(OpenPackage):
    """A `Package` with these files, as `archiver import` would open them, by their names."""

    def __init__(self, files: Mapping[str, bytes | str]) -> None:
        bodies = {
            confined_name(name): content.encode() if isinstance(content, str) else content
            for name, content in files.items()
        }
        part = DownloadedPart(
            Path("export.zip"), sum(map(len, bodies.values())),
            lambda file: io.BytesIO(bodies[file.name]),
        )  # fmt: skip
        part.take(PartFile(name, len(body)) for name, body in bodies.items())
        super().__init__([part])
