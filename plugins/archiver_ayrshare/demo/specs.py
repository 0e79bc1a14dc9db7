"""Descriptions of the media that is attached to posts.

    account.publish(text="Four of them", media=[photo(), video(), photo(alt="A blue bowl")])

Pictures with the same label, scene, size and file type are the same file, wherever they are
published; without a label, a picture is unique.
"""

from dataclasses import dataclass
from typing import Literal

SpecKind = Literal["photo", "video", "gif", "link"]
PictureFormat = Literal["jpeg", "png", "webp", "gif"]


@dataclass(frozen=True, slots=True)
class MediaSpec:
    """One thing to attach. `size` is width and height in pixels, `pad` extra bytes in the file."""

    kind: SpecKind
    label: str = ""
    scene: str | None = None
    size: tuple[int, int] | None = None
    file_type: PictureFormat | None = None
    alt: str | None = None
    duration_ms: int = 2000
    pad: int = 0
    url: str = ""
    title: str = ""
    picture: bool = True


def photo(
    label: str = "",
    *,
    scene: str | None = None,
    size: tuple[int, int] | None = None,
    file_type: PictureFormat | None = None,
    alt: str | None = None,
) -> MediaSpec:
    """A picture: a small gradient, or drawn where `scene` names one of `scenes`.

    Without a file type it is a JPEG on nearly all platforms.
    """
    return MediaSpec("photo", label, scene, size, file_type, alt)


def video(
    label: str = "",
    *,
    scene: str | None = None,
    size: tuple[int, int] | None = None,
    alt: str | None = None,
    duration_ms: int = 2000,
    pad: int = 0,
) -> MediaSpec:
    """A playable video, with a still drawn like a photo; `pad` adds bytes to its file."""
    return MediaSpec("video", label, scene, size, None, alt, duration_ms, pad)


def gif(label: str = "", *, scene: str | None = None, alt: str | None = None) -> MediaSpec:
    """An animation: a real GIF file on Pinterest, a silent mp4 on X."""
    return MediaSpec("gif", label, scene, None, "gif", alt)


def link(
    url: str, *, title: str = "", label: str = "", scene: str | None = None, picture: bool = True
) -> MediaSpec:
    """A link with its preview, and a picture in the preview."""
    return MediaSpec("link", label, scene, None, None, None, url=url, title=title, picture=picture)
