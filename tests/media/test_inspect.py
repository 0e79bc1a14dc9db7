"""Sizes and durations come from headers, and a header that lies does no harm."""

import struct
from pathlib import Path

import pytest
from PIL import Image

from archiver.media.inspect import NOTHING, Dimensions, inspect
from archiver.media.kinds import UNKNOWN, FileKind, sniff
from support.media.samples import MP4, PNG, box, movie, picture


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        *((picture(name), Dimensions(40, 30))
          for name in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")),
        (picture("WEBP", lossless=True), Dimensions(40, 30)),
        (MP4, Dimensions(640, 360, 2500)),
        (movie(units=0xFFFFFFFF), Dimensions(640, 360, None)),
        (movie(scale=0), Dimensions(640, 360, None)),
        (movie(width=0), Dimensions(None, None, 2500)),
        (b"ID3", NOTHING),
    ],
)  # fmt: skip
def test_sizes_come_from_headers(tmp_path: Path, data: bytes, expected: Dimensions) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert inspect(path, sniff(data) or UNKNOWN) == expected


def test_an_animated_webp_has_the_size_of_its_canvas(tmp_path: Path) -> None:
    path = tmp_path / "file"
    frames = [Image.new("RGB", (50, 20), color) for color in ("red", "blue")]
    frames[0].save(path, "WEBP", save_all=True, append_images=frames[1:])
    assert inspect(path, sniff(path.read_bytes()) or UNKNOWN) == Dimensions(50, 20)


def png_of(width: int, height: int) -> bytes:
    return PNG[:16] + struct.pack(">II", width, height) + PNG[24:]


@pytest.mark.parametrize("sides", [(65_000, 65_000), (14_000, 14_000), (2**31 - 1, 1), (0, 0)])
def test_a_bomb_is_not_measured(tmp_path: Path, sides: tuple[int, int]) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(png_of(*sides))
    assert inspect(path, sniff(PNG) or UNKNOWN) == NOTHING


def test_boxes_of_a_wrong_size_end_the_search(tmp_path: Path) -> None:
    kind = sniff(MP4) or UNKNOWN
    for size in (0, 1, 7, 0x7FFFFFFF):
        lie = bytearray(MP4)
        at = MP4.index(b"moov") - 4
        lie[at : at + 4] = struct.pack(">I", size)
        path = tmp_path / "lie"
        path.write_bytes(lie)
        inspect(path, kind)
    path.write_bytes(box(b"ftyp", b"isom") + box(b"free") * 100_000)
    assert inspect(path, kind) == NOTHING


@pytest.mark.parametrize("extension", ["jpg", "mp4", "webp", "avif"])
def test_a_disk_that_fails_is_not_taken_for_a_file_without_a_size(
    tmp_path: Path, extension: str
) -> None:
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "none", FileKind("", extension, "other"))
