"""Width, height and duration, read from headers; nothing is ever decoded.

A file without readable dimensions is stored all the same. Pillow reads the headers of pictures.
Where it would read the whole file (WebP, AVIF), or does not know the format (video), the boxes of
the container are read here, at most so many. For most JPEG and PNG files the first bytes, which
are in memory already, are enough: opening the file with Pillow takes longer than hashing it.
"""

import errno
import threading
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from archiver.media.kinds import FileKind

_PILLOW = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "bmp": "BMP", "tif": "TIFF"}
_ISO_VIDEO = frozenset({"mp4", "mov", "3gp", "m4a"})
_WARNINGS_LOCK = threading.Lock()  # warning filters are those of the whole process
_MAX_BOXES = 2000
_LONGEST_MS = 1000 * 3600 * 24 * 365
_LARGEST_SIDE = 1 << 20
_MAX_PIXELS = 1 << 26  # for a larger picture, Pillow checks for a decompression bomb
_PARSER_ERRNOS = {None, errno.EINVAL}  # raised by Pillow itself, and by a seek to a negative offset
_SOF_MARKERS = frozenset({0xC0, 0xC1, 0xC2})
_ISPE_SEARCH_SIZE = 64 * 1024


class Dimensions(Struct, frozen=True):
    """Sizes in pixels, the duration in milliseconds; None where it is not known."""

    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None


NOTHING = Dimensions()


def inspect(path: Path, kind: FileKind, head: bytes = b"") -> Dimensions:
    """What the file's headers say of it; nothing where they say nothing that can be understood.

    `head` are its first bytes, where they are known. Raises OSError only where the disk fails: a
    row that was saved without dimensions would never get them later.
    """
    try:
        return _from_head(kind.extension, head) or _read(path, kind)
    except OSError as error:
        if error.errno not in _PARSER_ERRNOS:
            raise
        return NOTHING
    except Exception:  # noqa: BLE001 — parsers of hostile bytes raise what they like
        return NOTHING


def _read(path: Path, kind: FileKind) -> Dimensions:
    if kind.extension in _PILLOW:
        return _picture(path, _PILLOW[kind.extension])
    if kind.extension in _ISO_VIDEO:
        return _iso_video(path)
    if kind.extension == "webp":
        return _webp(path)
    if kind.extension in {"avif", "heic"}:
        return _iso_image(path)
    return NOTHING


def _from_head(extension: str, head: bytes) -> Dimensions | None:
    """The size of an ordinary JPEG or PNG from its first bytes; None where they do not have it."""
    sides = None
    if extension == "jpg":
        sides = _jpeg_sides(head)
    elif extension == "png" and zlib.crc32(head[12:29]) == int.from_bytes(head[29:33], "big"):
        sides = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if sides is None or not all(sides) or sides[0] * sides[1] > _MAX_PIXELS:
        return None
    return _sides(*sides)


def _jpeg_sides(head: bytes) -> tuple[int, int] | None:
    """From the frame header (ITU-T T.81, B.2.2), if a baseline or progressive one is in `head`."""
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker in _SOF_MARKERS and head[at + 4] == 8:
            height, width = head[at + 5 : at + 7], head[at + 7 : at + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        if marker == 0xFF or marker < 0xC4 or 0xD0 <= marker <= 0xDA:
            return None
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None


def _picture(path: Path, pillow_format: str) -> Dimensions:
    from PIL import Image  # noqa: PLC0415 — a run seldom needs it, and it takes long to import

    with _WARNINGS_LOCK, warnings.catch_warnings():
        # Pillow warns of a decompression bomb and still gives the size, which is not used.
        warnings.simplefilter("error")
        with Image.open(path, formats=[pillow_format]) as image:
            return _sides(*image.size)


def _sides(width: int, height: int, duration_ms: int | None = None) -> Dimensions:
    if not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE):
        return Dimensions(duration_ms=duration_ms)
    return Dimensions(width, height, duration_ms)


def _webp(path: Path) -> Dimensions:
    """RFC 9649, sections 2.5 to 2.7: the first chunk has the size of the canvas."""
    with path.open("rb") as file:
        head = file.read(30)
    name, data = head[12:16], head[20:]
    if name == b"VP8X":
        width, height = data[4:7], data[7:10]
        return _sides(1 + int.from_bytes(width, "little"), 1 + int.from_bytes(height, "little"))
    if name == b"VP8L" and data[0] == 0x2F:
        bits = int.from_bytes(data[1:5], "little")
        return _sides(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if name == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        width, height = data[6:8], data[8:10]
        return _sides(
            int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF
        )
    return NOTHING


def _iso_image(path: Path) -> Dimensions:
    """The largest `ispe` property (ISO/IEC 23008-12 section 6.5.3); tiles are smaller."""
    with path.open("rb") as file:
        head = file.read(_ISPE_SEARCH_SIZE)
    best = (0, 0)
    at = head.find(b"ispe")
    while at != -1:
        width = int.from_bytes(head[at + 8 : at + 12], "big")
        height = int.from_bytes(head[at + 12 : at + 16], "big")
        best = max(best, (width, height), key=lambda sides: sides[0] * sides[1])
        at = head.find(b"ispe", at + 4)
    return _sides(*best)


def _iso_video(path: Path) -> Dimensions:
    """The movie header's duration and the largest track header's size (ISO/IEC 14496-12)."""
    duration_ms: int | None = None
    best = (0, 0)
    with path.open("rb") as file:
        end = file.seek(0, 2)
        for name, start, stop in _inside(file, 0, end, b"moov"):
            if name == b"mvhd":
                duration_ms = _duration(file, start)
            elif name == b"trak":
                for inner, _, inner_stop in boxes(file, start, stop):
                    if inner == b"tkhd":
                        file.seek(inner_stop - 8)
                        size = file.read(8)  # two 16.16 fixed-point numbers end the box
                        sides = (int.from_bytes(size[:2], "big"), int.from_bytes(size[4:6], "big"))
                        best = max(best, sides, key=lambda pair: pair[0] * pair[1])
    return _sides(*best, duration_ms)


def _inside(file: BinaryIO, start: int, end: int, name: bytes) -> Iterator[tuple[bytes, int, int]]:
    for found, body, stop in boxes(file, start, end):
        if found == name:
            yield from boxes(file, body, stop)
            return


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between two offsets: name, where the content starts, where the box ends.

    Stops at the first that does not fit between them. Between two steps the file may be read
    anywhere.
    """
    at = start
    for _ in range(_MAX_BOXES):
        if at + 8 > end:
            return
        file.seek(at)
        head = file.read(16)
        size, name, body = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if size == 1:
            size, body = int.from_bytes(head[8:16], "big"), at + 16
        elif size == 0:
            size = end - at
        if size < body - at or at + size > end:
            return
        yield name, body, at + size
        at += size


def _duration(file: BinaryIO, start: int) -> int | None:
    file.seek(start)
    data = file.read(32)
    width = 8 if data[0] == 1 else 4
    at = 4 + 2 * width
    scale = int.from_bytes(data[at : at + 4], "big")
    units = int.from_bytes(data[at + 4 : at + 4 + width], "big")
    if not scale or not units or units == (1 << 8 * width) - 1:
        return None
    duration_ms = round(units * 1000 / scale)
    return duration_ms if duration_ms <= _LONGEST_MS else None
