"""Recipes: how the bytes of the demo's media files are made.

A file is made on its first request and is the same every time. Files with different labels differ
in their bytes even where they look alike: each has its label in a comment of its format (JPEG COM,
PNG tEXt, GIF comment, WebP Exif, mp4 `free` box).
"""

import io
import itertools
import struct
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from threading import Lock
from typing import Literal, Protocol

from PIL import Image, ImageDraw

from archiver_ayrshare.demo import scenes
from archiver_ayrshare.demo.ids import hex_digits, number
from archiver_ayrshare.demo.specs import PictureFormat

VideoSize = Literal["small", "medium", "large", "portrait"]

VIDEO_PIXELS: dict[VideoSize, tuple[int, int]] = {
    "small": (480, 270),
    "medium": (640, 360),
    "large": (1280, 720),
    "portrait": (360, 640),
}

_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"}
_HUES = 12
_PLACEHOLDER = b"~" * 64


class Recipe(Protocol):
    """How one file is made."""

    @property
    def content_type(self) -> str:
        """The media type that the server declares."""

    def make(self) -> bytes:
        """The bytes of the file."""


@dataclass(frozen=True, slots=True)
class Still:
    """A picture. Without a scene it is a small gradient in one of twelve hues.

    `mark` distinguishes files with the same picture: the still of a film from its cover.
    """

    label: str
    size: tuple[int, int]
    file_type: PictureFormat = "jpeg"
    scene: str | None = None
    mark: str = ""

    @property
    def content_type(self) -> str:
        """The media type that the server declares."""
        return _TYPES[self.file_type]

    def make(self) -> bytes:
        """The bytes of the file."""
        if self.scene:
            image = scenes.draw(self.scene, self.label, self.size)
            data = _encode([image], self.file_type)
        else:
            data = _gradient(self.file_type, self.size, number(_HUES, self.label))
        return _embed_label(data, self.file_type, f"{self.mark} {self.label}")


@dataclass(frozen=True, slots=True)
class Animation:
    """A GIF of a few frames."""

    label: str
    size: tuple[int, int] = (240, 240)
    content_type: str = "image/gif"

    def make(self) -> bytes:
        """The bytes of the file."""
        return _embed_label(_bouncing(self.size, number(_HUES, self.label)), "gif", self.label)


@dataclass(frozen=True, slots=True)
class VideoFile:
    """One of the videos in the package, with its label in a `free` box, which players skip."""

    label: str
    size: VideoSize = "small"
    pad: int = 0
    content_type: str = "video/mp4"

    def make(self) -> bytes:
        """The bytes of the file."""
        comment = f"{self.label} {self.size}".encode() + bytes(self.pad)
        return _video_bytes(self.size) + struct.pack(">I4s", 8 + len(comment), b"free") + comment


@dataclass(frozen=True, slots=True)
class Playlist:
    """An HLS playlist of the variants of a video; `paths` are those of their files."""

    paths: tuple[tuple[str, VideoSize, int], ...]
    content_type: str = "application/x-mpegURL"

    def make(self) -> bytes:
        """The bytes of the file."""
        lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS"]
        for path, size, bitrate in self.paths:
            width, height = VIDEO_PIXELS[size]
            lines += [
                f"#EXT-X-STREAM-INF:BANDWIDTH={bitrate},RESOLUTION={width}x{height}",
                path,
            ]
        return ("\n".join(lines) + "\n").encode()


@dataclass(frozen=True, slots=True)
class SegmentedVideo:
    """The medium video of the package in fragments, with its label in a `free` box before them."""

    label: str
    content_type: str = "video/mp4"

    def make(self) -> bytes:
        """The bytes of the file."""
        index, fragments = self.parts()
        return index + b"".join(fragments)

    def parts(self) -> tuple[bytes, list[bytes]]:
        """What a player needs first, and the fragments of half a second."""
        data = _video_bytes("segments")
        starts = [at for at, name in _boxes(data) if name == b"moof"]
        label = self.label.encode()
        index = data[: starts[0]] + struct.pack(">I4s", 8 + len(label), b"free") + label
        return index, [data[a:b] for a, b in itertools.pairwise([*starts, len(data)])]


@dataclass(frozen=True, slots=True)
class SegmentList:
    """An HLS playlist of the fragments of a video, as byte ranges of the file at `path`."""

    path: str
    video: SegmentedVideo
    content_type: str = "application/x-mpegURL"

    def make(self) -> bytes:
        """The bytes of the file."""
        index, fragments = self.video.parts()
        lines = [
            "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:1", "#EXT-X-PLAYLIST-TYPE:VOD",
            f'#EXT-X-MAP:URI="{self.path}",BYTERANGE="{len(index)}@0"',
        ]  # fmt: skip
        start = len(index)
        for fragment in fragments:
            lines += ["#EXTINF:0.5,", f"#EXT-X-BYTERANGE:{len(fragment)}@{start}", self.path]
            start += len(fragment)
        return "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()


class FixtureCache:
    """Makes files once and keeps the latest of them, 64 MB at most."""

    _max_size = 64 * 1024 * 1024

    def __init__(self) -> None:
        self._files: OrderedDict[Recipe, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, recipe: Recipe) -> bytes:
        """The bytes of a recipe."""
        with self._lock:
            if recipe in self._files:
                self._files.move_to_end(recipe)
                return self._files[recipe]
            data = recipe.make()
            self._files[recipe] = data
            self._size += len(data)
            while self._size > self._max_size and len(self._files) > 1:
                _, old = self._files.popitem(last=False)
                self._size -= len(old)
            return data


@lru_cache(maxsize=512)
def _gradient(file_type: PictureFormat, size: tuple[int, int], hue: int) -> bytes:
    return _encode([scenes.gradient(size, hue / _HUES)], file_type)


@lru_cache(maxsize=64)
def _bouncing(size: tuple[int, int], hue: int) -> bytes:
    """Twelve frames of a bouncing ball."""
    width, height = size
    radius = width // 8
    frames = []
    for step in range(12):
        frame = scenes.gradient(size, hue / _HUES)
        fall = abs(step - 6) / 6
        top = int((height - 2 * radius) * (1 - fall**2) * 0.9)
        left = width // 2 - radius
        ImageDraw.Draw(frame).ellipse(
            (left, height - top - 2 * radius, left + 2 * radius, height - top), fill="#fff8e7"
        )
        frames.append(frame.quantize(32))
    return _encode(frames, "gif")


def _boxes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Where each box of an mp4 file starts (ISO/IEC 14496-12, 4.2), and its name."""
    at = 0
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        yield at, name
        at += size


@lru_cache(maxsize=5)
def _video_bytes(size: VideoSize | Literal["segments"]) -> bytes:
    return files("archiver_ayrshare.demo").joinpath("videos", f"{size}.mp4").read_bytes()


def _encode(frames: list[Image.Image], file_type: PictureFormat) -> bytes:
    out = io.BytesIO()
    first, *rest = frames
    match file_type:
        case "jpeg":
            first.save(out, "JPEG", quality=80)
        case "png":
            first.quantize(128).save(out, "PNG")
        case "webp":
            exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00" + _PLACEHOLDER
            first.save(out, "WEBP", quality=75, exif=exif)
        case "gif":
            first.save(out, "GIF", save_all=True, append_images=rest, duration=80, loop=0)
    return out.getvalue()


def _embed_label(data: bytes, file_type: PictureFormat, label: str) -> bytes:
    """The same picture with the label in a comment of its format."""
    words = label.encode()[:250]
    match file_type:
        case "jpeg":  # after the first segment, which must stay in front
            end = 4 + struct.unpack(">H", data[4:6])[0]
            return data[:end] + b"\xff\xfe" + struct.pack(">H", 2 + len(words)) + words + data[end:]
        case "png":  # before IEND, which takes the last twelve bytes
            body = b"tEXtComment\x00" + words
            chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
            return data[:-12] + chunk + data[-12:]
        case "gif":  # before the trailer
            return data[:-1] + b"\x21\xfe" + bytes([len(words)]) + words + b"\x00" + data[-1:]
        case "webp":
            return data.replace(_PLACEHOLDER, hex_digits(64, label).encode(), 1)
