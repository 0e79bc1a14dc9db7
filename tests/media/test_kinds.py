"""What bytes are, and what they are not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.media.completeness import is_complete
from archiver.media.inspect import inspect
from archiver.media.kinds import recognize_non_media, sniff
from support.media.samples import GIF, HTML, JPEG, MP4, PNG, WEBP, box, movie, picture

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
    assert recognize_non_media(data[:4096]) is None


@pytest.mark.parametrize(("data", "word"), IMPOSTORS)
def test_what_stands_in_place_of_media_is_named(data: bytes, word: str) -> None:
    assert recognize_non_media(data) == word
    assert sniff(data) is None


def test_bytes_of_no_known_kind_may_be_media() -> None:
    assert recognize_non_media(b"\x00\x01\x02\x03 unknown") is None
    assert sniff(b"\x00\x01\x02\x03 unknown") is None


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_something(data: bytes) -> None:
    assert sniff(data) is None or recognize_non_media(data) is None


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
