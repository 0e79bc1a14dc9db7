"""Files of an export in the forms in which platforms hand them out, and in broken ones."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, bytes | str]
WHEN = (2024, 6, 2, 3, 4, 6)
"""When the files of a package were made, as zips write it."""


def as_bytes(content: bytes | str) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def write_zip(
    path: Path, files: Files, method: int = zipfile.ZIP_DEFLATED, *,
    when: tuple[int, int, int, int, int, int] = WHEN,
) -> Path:  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as package:
        for name, content in files.items():
            package.writestr(zipfile.ZipInfo(name, when), as_bytes(content), method)
    return path


def write_tar(path: Path, files: Files, mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as package:  # type: ignore[call-overload]  # the mode is one of its words
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            data = as_bytes(content)
            entry.size, entry.mtime = len(data), 1_717_300_000
            package.addfile(entry, io.BytesIO(data))
    return path


def write_folder(path: Path, files: Files) -> Path:
    for name, content in files.items():
        place = path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(as_bytes(content))
    return path


def write_parts(folder: Path, stem: str, files: Files, count: int) -> list[Path]:
    """The same files in several zips, in turn, so that no part is whole."""
    shares: list[dict[str, bytes | str]] = [{} for _ in range(count)]
    for index, (name, content) in enumerate(files.items()):
        shares[index % count][name] = content
    return [
        write_zip(folder / f"{stem}-{number}.zip", share)
        for number, share in enumerate(shares, start=1)
    ]
