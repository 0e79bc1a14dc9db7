"""Small files of every kind, and a way to hand their bytes to a Downloader without a network."""

import io
import struct
import zipfile

from PIL import Image


def picture(pillow_format: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    file = io.BytesIO()
    mode = "P" if pillow_format == "GIF" else "RGB"
    Image.new(mode, size).save(file, pillow_format, **options)
    return file.getvalue()


def box(name: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), name) + data


def movie(
    width: int = 640,
    height: int = 360,
    scale: int = 1000,
    units: int = 2500,
    brand: bytes = b"isom",
    tracks: tuple[bytes, ...] = (b"vide", b"soun"),
) -> bytes:
    header = box(b"mvhd", bytes(12), struct.pack(">II", scale, units), bytes(80))
    sides = {b"vide": struct.pack(">II", width << 16, height << 16)}
    each = [
        box(
            b"trak",
            box(b"tkhd", bytes(76), sides.get(handler, bytes(8))),
            box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(12))),
        )
        for handler in tracks
    ]
    return (
        box(b"ftyp", brand, bytes(4), b"isommp42")
        + box(b"moov", header, *each)
        + box(b"mdat", bytes(100))
    )


def element(name: bytes, *content: bytes) -> bytes:
    """One of EBML, with a size of eight bytes."""
    data = b"".join(content)
    return name + (len(data) | 1 << 56).to_bytes(8, "big") + data


def webm(*track_types: int) -> bytes:
    tracks = [element(b"\xae", element(b"\x83", bytes([each]))) for each in track_types]
    return element(b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm") + element(
        b"\x18\x53\x80\x67", element(b"\x16\x54\xae\x6b", *tracks)
    )


def zipped(*names: str, mimetype: str = "") -> bytes:
    """The same bytes at any time: pytest names tests after them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if mimetype:
            archive.writestr(zipfile.ZipInfo("mimetype"), mimetype)
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "x")
    return file.getvalue()


def office(folder: str) -> bytes:
    return zipped("[Content_Types].xml", "_rels/.rels", f"{folder}/main.xml")


def compound(stream: str) -> bytes:
    """An OLE file with its directory in the second sector."""
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(30, b"\x00") + b"\x09\x00"
    name = stream.encode("utf-16-le")
    entries = [
        text.ljust(64, b"\x00") + (len(text) + 2).to_bytes(2, "little") + bytes(62)
        for text in ("Root Entry".encode("utf-16-le"), name)
    ]
    return (
        header.ljust(48, b"\x00")
        + b"\x01\x00\x00\x00"
        + bytes(460)
        + bytes(512)
        + b"".join(entries)
    )


JPEG = picture("JPEG")
PNG = picture("PNG")
GIF = picture("GIF")
WEBP = picture("WEBP")
MP4 = movie()
HTML = b"<!DOCTYPE html>\n<html><head><title>403</title></head><body>no</body></html>"

FRAGMENT = box(b"styp", b"msdh", bytes(4)) + box(b"moof", bytes(20)) + box(b"mdat", bytes(99))
INIT_SEGMENT = box(b"ftyp", b"iso6", bytes(4)) + box(b"moov", box(b"mvhd", bytes(100)))
PDF = b"%PDF-1.7\n1 0 obj\n"
DOCX = office("word")
