"""Opening the files of an import, and hashing them."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from archiver.archive.packages import PackagePart
from archiver.imports.parts import DownloadedPart, open_part, parts_in
from archiver.imports.report import ImportProgress
from archiver.imports.single_films import films_in


def open_parts(
    files: Sequence[Path], scratch: Path | None, stack: ExitStack
) -> list[DownloadedPart]:
    """The parts of all files and folders; they are closed with the stack. Raises PackageError."""
    films = [films_in(path) for path in files]
    paths: list[Path] = []
    for path, inside in zip(files, films, strict=True):
        if all(films):
            paths += inside
        else:  # a folder of films may be a part of a package
            paths += (parts_in(path) if path.is_dir() else []) or [path]
    parts = []
    for path in dict.fromkeys(paths):
        part = open_part(path, scratch)
        stack.callback(part.close)
        parts.append(part)
    return parts


def hash_parts(parts: Sequence[DownloadedPart], progress: ImportProgress) -> list[PackagePart]:
    """The names, sizes and hashes of parts, as they are put on record."""
    hashed = []
    for part in parts:
        progress.begin(f"Hashing {part.path.name}", part.size, "bytes")
        hashed.append(PackagePart(part.path.name, part.size, part.sha256(progress.advance)))
    return hashed


def names_of(parts: Sequence[DownloadedPart]) -> str:
    """The names of parts, for messages."""
    return ", ".join(part.path.name for part in parts)
