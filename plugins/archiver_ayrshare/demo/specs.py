"""What somebody attaches to a post, described in a few words.

    account.publish(text="Four of them", media=[photo(), video(), photo(alt="A blue bowl")])

Pictures with the same label, scene, size and file type are the same file, wherever they are
published; without a label, a picture is like no other.
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
    """A picture: tiny and plain, or drawn when `scene` names one of `scenes`.

    Without a file type it is what the platform serves most, a JPEG nearly everywhere.
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
    """A film that plays, with a still drawn like a photo; `pad` makes its file larger."""
    return MediaSpec("video", label, scene, size, None, alt, duration_ms, pad)


def gif(label: str = "", *, scene: str | None = None, alt: str | None = None) -> MediaSpec:
    """An animation: a real GIF file on Pinterest, a silent mp4 on X."""
    return MediaSpec("gif", label, scene, None, "gif", alt)


def link(
    url: str, *, title: str = "", label: str = "", scene: str | None = None, picture: bool = True
) -> MediaSpec:
    """A link with its preview, and a picture in the preview."""
    return MediaSpec("link", label, scene, None, None, None, url=url, title=title, picture=picture)
