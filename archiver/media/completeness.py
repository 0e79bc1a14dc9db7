"""Whether a file is complete, by its own structure: the only proof where no length was given."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from archiver.media.inspect import boxes
from archiver.media.kinds import FileKind

_TAIL = 1024
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


def is_complete(path: Path, kind: FileKind) -> bool | None:
    """True or False where the format marks its end or says its length, None where it does not.

    Raises OSError.
    """
    check = _CHECKS.get(kind.extension)
    if check is None:
        return None
    with path.open("rb") as file:
        return check(file, file.seek(0, 2))


def _tail(file: BinaryIO, size: int) -> bytes:
    file.seek(max(0, size - _TAIL))
    return file.read(_TAIL)


def _word(file: BinaryIO, offset: int) -> int:
    file.seek(offset)
    return int.from_bytes(file.read(4), "little")


def _is_complete_movie(file: BinaryIO, size: int) -> bool:
    names = {name for name, _, _ in boxes(file, 0, size)}
    # a file that was cut off after its index (moov) lacks the data (mdat)
    is_complete = b"mdat" in names and bool({b"moov", b"moof"} & names)
    return is_complete and _last_box_ends_at(file, size)


def _last_box_ends_at(file: BinaryIO, size: int) -> bool:
    return size in {stop for _, _, stop in boxes(file, 0, size)}


_CHECKS: dict[str, Callable[[BinaryIO, int], bool]] = {
    "jpg": lambda file, size: _tail(file, size).rstrip(b"\x00").endswith(b"\xff\xd9"),
    "png": lambda file, size: _PNG_END in _tail(file, size),
    "gif": lambda file, size: _tail(file, size).rstrip(b"\x00").endswith(b"\x3b"),
    "webp": lambda file, size: _word(file, 4) + 8 <= size,
    "wav": lambda file, size: _word(file, 4) + 8 <= size,
    "avi": lambda file, size: _word(file, 4) + 8 <= size,
    "bmp": lambda file, size: _word(file, 2) <= size,
    "mp4": _is_complete_movie,
    "mov": _is_complete_movie,
    "3gp": _is_complete_movie,
    "m4a": _is_complete_movie,
    "avif": _last_box_ends_at,
    "heic": _last_box_ends_at,
}
