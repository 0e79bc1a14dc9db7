"""Small files of every kind, and a way to hand their bytes to a Downloader without a network."""

import io
import struct

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
) -> bytes:
    header = box(b"mvhd", bytes(12), struct.pack(">II", scale, units), bytes(80))
    track = box(b"tkhd", bytes(76), struct.pack(">II", width << 16, height << 16))
    sound = box(b"tkhd", bytes(84))
    return (
        box(b"ftyp", brand, bytes(4), b"isommp42")
        + box(b"moov", header, box(b"trak", track), box(b"trak", sound))
        + box(b"mdat", bytes(100))
    )


JPEG = picture("JPEG")
PNG = picture("PNG")
GIF = picture("GIF")
WEBP = picture("WEBP")
MP4 = movie()
HTML = b"<!DOCTYPE html>\n<html><head><title>403</title></head><body>no</body></html>"
