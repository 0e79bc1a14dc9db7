"""What bytes are, and what they are not."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from archiver.media.completeness import is_complete
from archiver.media.inspect import NOTHING, Dimensions, inspect
from archiver.media.kinds import UNKNOWN, FileKind, impostor, sniff
from media.samples import GIF, HTML, JPEG, MP4, PNG, WEBP, box, movie, picture

MEDIA = [
    (JPEG, "image/jpeg", "jpg"),
    (PNG, "image/png", "png"),
    (GIF, "image/gif", "gif"),
    (WEBP, "image/webp", "webp"),
    (picture("WEBP", lossless=True), "image/webp", "webp"),
    (picture("BMP"), "image/bmp", "bmp"),
    (picture("TIFF"), "image/tiff", "tif"),
    (picture("AVIF"), "image/avif", "avif"),
    (box(b"ftyp", b"heic", bytes(4), b"mif1"), "image/heic", "heic"),
    (box(b"ftyp", b"mif1", bytes(4), b"mif1avif"), "image/avif", "avif"),
    (b"\xff\x0a" + bytes(10), "image/jxl", "jxl"),
    (MP4, "video/mp4", "mp4"),
    (movie(brand=b"qt  "), "video/quicktime", "mov"),
    (movie(brand=b"M4A "), "audio/mp4", "m4a"),
    (box(b"wide") + bytes(20), "video/quicktime", "mov"),
    (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "video/webm", "webm"),
    (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", "video/x-matroska", "mkv"),
    (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav", "wav"),
    (b"RIFF\x10\0\0\0AVI LIST", "video/x-msvideo", "avi"),
    (b"ID3\x04" + bytes(20), "audio/mpeg", "mp3"),
    (b"\xff\xfb\x90\x64" + bytes(20), "audio/mpeg", "mp3"),
    (b"\xff\xf1\x50\x80" + bytes(20), "audio/aac", "aac"),
    (b"OggS" + bytes(20), "audio/ogg", "ogg"),
    (b"fLaC" + bytes(20), "audio/flac", "flac"),
    ((b"G" + bytes(187)) * 3, "video/mp2t", "ts"),
    (b"#EXTM3U\n#EXT-X-VERSION:3\n", "application/vnd.apple.mpegurl", "m3u8"),
    (b'<?xml version="1.0"?><MPD xmlns="urn">', "application/dash+xml", "mpd"),
]
IMPOSTORS = [
    (b"", "empty"), (HTML, "html"), (b"\xef\xbb\xbf \n<HTML>", "html"),
    (b"<!-- x --><body >", "html"),
    (b'{"error": 1}', "json"), (b"[]", "json"), (b"<?xml version='1.0'?><Error/>", "xml"),
    (b"<Error><Code>AccessDenied</Code></Error>", "xml"), (b"<svg xmlns='x'/>", "svg"),
    (b"<?xml version='1.0'?><svg>", "svg"), (b"URL signature expired", "text"), (b"\n\n ", "text"),
    ("Zugriff verweigert: ü".encode(), "text"), (b"%PDF-1.7", "pdf"), (b"%!PS-Adobe", "postscript"),
    (b"MZ\x90\x00", "executable"), (b"\x7fELF\x02", "executable"), (b"#!/bin/sh", "executable"),
    (b"PK\x03\x04", "zip"), (b"\x1f\x8b\x08", "gzip"), ("ü".encode() * 2047 + b"\xc3", "text"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "content_type", "extension"), MEDIA)
def test_media_is_known_by_its_bytes(data: bytes, content_type: str, extension: str) -> None:
    found = sniff(data[:4096])
    assert found is not None
    assert (found.content_type, found.extension) == (content_type, extension)
    assert impostor(data[:4096]) is None


@pytest.mark.parametrize(("data", "word"), IMPOSTORS)
def test_what_stands_in_place_of_media_is_named(data: bytes, word: str) -> None:
    assert impostor(data) == word
    assert sniff(data) is None


def test_bytes_of_no_known_kind_are_no_impostor() -> None:
    assert impostor(b"\x00\x01\x02\x03 unknown") is None
    assert sniff(b"\x00\x01\x02\x03 unknown") is None


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_something(data: bytes) -> None:
    assert sniff(data) is None or impostor(data) is None


@settings(deadline=None)
@given(st.sampled_from([data for data, _, _ in MEDIA]), st.integers(0, 400), st.binary(max_size=40))
def test_damaged_media_is_measured_or_not_but_never_fails(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int, noise: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged"
    kind = sniff(data)
    assert kind is not None
    path.write_bytes(data[:at] + noise + data[at + len(noise) :])
    found = inspect(path, kind)
    assert found.width is None or found.width > 0
    is_complete(path, kind)


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


def test_boxes_that_lie_about_their_size_end_the_walk(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    "data", [JPEG, PNG, GIF, WEBP, MP4, picture("BMP"), picture("AVIF"), JPEG + bytes(3)]
)
def test_a_whole_file_ends_as_it_should(tmp_path: Path, data: bytes) -> None:
    kind = sniff(data) or UNKNOWN
    path = tmp_path / "file"
    path.write_bytes(data)
    assert is_complete(path, kind) is True
    for cut in (1, 2, 10, len(data) // 2):
        path.write_bytes(data[: len(data.removesuffix(bytes(3))) - cut])
        assert is_complete(path, kind) is False, cut


def test_a_movie_that_was_cut_behind_its_index_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(MP4[: MP4.index(b"mdat") - 4])
    assert is_complete(path, sniff(MP4) or UNKNOWN) is False


def test_some_formats_do_not_tell(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"ID3")
    assert is_complete(path, sniff(b"ID3") or UNKNOWN) is None
