"""Attachments and their files, as far as platforms agree on them.

The files of an attachment stand in the order in which they are wanted, the original first. A still
that has the path of a file before it is that file again, and is left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from archiver import Attachment, AttachmentKind, Rendition, Role
from archiver_ayrshare.values import (
    dig,
    first,
    id_of,
    list_of,
    milliseconds,
    object_of,
    size_of,
    text_of,
    url_of,
    word_of,
)

URL_KEYS = ("mediaUrl", "url", "src", "source", "fullsize", "videoUrl", "imageUrl", "playlist")
STILL_KEYS = ("thumbnailUrl", "previewImageUrl", "coverImageUrl", "thumbnail", "thumb")
ID_KEYS = ("id", "mediaId", "mediaKey", "cid")
ALT_KEYS = ("altText", "alt")

ITEM = {
    **dict.fromkeys(URL_KEYS, "original: url"),
    **dict.fromkeys(STILL_KEYS, "thumbnail: url"),
    **dict.fromkeys(ID_KEYS, "platform_id"),
    **dict.fromkeys(ALT_KEYS, "alt_text"),
    "mediaType": "kind",
    "type": "kind",
    "contentType": "original: content_type",
    "mimeType": "original: content_type",
    "width": "width",
    "height": "height",
    "aspectRatio.width": "width",
    "aspectRatio.height": "height",
    "duration": "duration_ms",
    "durationMs": "duration_ms",
}
"""What is understood of one item of a list of media whose shape no page documents."""

_PATH = re.compile(r"https?://[^/?#]*([^?#]*)", re.IGNORECASE)
_KINDS: tuple[tuple[str, AttachmentKind], ...] = (
    ("gif", "gif"),
    ("video", "video"),
    ("reel", "video"),
    ("mpegurl", "video"),
    ("image", "image"),
    ("photo", "image"),
    ("picture", "image"),
    ("audio", "audio"),
    ("link", "link"),
    ("external", "link"),
    ("document", "other"),
)
_BY_SUFFIX: dict[str, AttachmentKind] = {
    **dict.fromkeys(("mp4", "mov", "m4v", "webm", "m3u8"), "video"),
    **dict.fromkeys(("jpg", "jpeg", "png", "webp", "heic", "avif"), "image"),
    **dict.fromkeys(("mp3", "m4a", "aac", "ogg"), "audio"),
    "gif": "gif",
}


def kind_of_word(word: str) -> AttachmentKind | None:
    """The kind that a platform's word or a content type tells of."""
    return next((kind for part, kind in _KINDS if part in word), None) if word else None


def kind_of_url(url: str | None) -> AttachmentKind | None:
    """The kind that the suffix of a URL's path tells of."""
    return _BY_SUFFIX.get(path_of(url).rpartition(".")[2].lower()) if url else None


def path_of(url: str) -> str:
    """The path of a URL, which stays while hosts and signatures rotate."""
    match = _PATH.match(url)
    return match[1] if match else url


def under(prefix: str, table: Mapping[str, str]) -> dict[str, str]:
    """A table's paths below another path."""
    return {f"{prefix}{path}": words for path, words in table.items()}


def distinct(renditions: Iterable[Rendition | None]) -> tuple[Rendition, ...]:
    """The files in order, without those that are there already under another name."""
    kept: list[Rendition] = []
    seen: set[str] = set()
    for rendition in renditions:
        if rendition is None:
            continue
        if rendition.url is not None:
            path = path_of(rendition.url)
            if path in seen:
                continue
            seen.add(path)
        kept.append(rendition)
    return tuple(kept)


def still(
    role: Role, url: object, *, width: object = None, height: object = None
) -> Rendition | None:
    """A still picture, where there is a URL of one."""
    address = url_of(url)
    if address is None:
        return None
    return Rendition(role, url=address, width=size_of(width), height=size_of(height))


def original(
    url: str | None, absent: Literal["copyright", "not_offered"] = "not_offered"
) -> Rendition:
    """The thing itself, or the fact that the source does not give it, and why."""
    return Rendition("original", absent=absent) if url is None else Rendition("original", url=url)


def with_still(attachments: Sequence[Attachment], picture: Rendition | None) -> list[Attachment]:
    """The attachments, a still of the whole post with the first; alone it is an image."""
    if picture is None:
        return list(attachments)
    if not attachments:
        return [Attachment("image", renditions=(picture,))]
    leading = attachments[0]
    renditions = distinct((*leading.renditions, picture))
    return [replace(leading, renditions=renditions), *attachments[1:]]


def items_of(value: object) -> list[Any]:
    """The items of a list of media: objects and bare URLs, also wrapped as `{"data": […]}`."""
    items = value if isinstance(value, list) else list_of(object_of(value).get("data"))
    return [item for item in items if isinstance(item, dict) or url_of(item)]


def read_item(item: object, kind: AttachmentKind | None = None) -> Attachment | None:
    """One item of media in any of the spellings of `ITEM`; None where there is none in it."""
    if isinstance(item, str):
        item = {"mediaUrl": item}
    fields = object_of(item)
    url = first(fields, URL_KEYS, url_of)
    words = " ".join(word_of(fields.get(key)) for key in ("mediaType", "type"))
    content_type = first(fields, ("contentType", "mimeType"), text_of)
    kind = kind or kind_of_word(words) or kind_of_word((content_type or "").lower())
    address = first(fields, STILL_KEYS, url_of)
    kind = kind or kind_of_url(url) or (("video" if address else "image") if url else None)
    if not (url or address or kind):
        return None
    picture = still("preview" if kind == "link" else "thumbnail", address)
    main = None if kind == "link" else original(url)
    if main is not None and url is not None and content_type is not None:
        main = replace(main, content_type=content_type)
    return Attachment(
        kind or "video",
        platform_id=first(fields, ID_KEYS, id_of),
        alt_text=first(fields, ALT_KEYS, text_of),
        width=size_of(fields.get("width")) or size_of(dig(fields, ("aspectRatio", "width"))),
        height=size_of(fields.get("height")) or size_of(dig(fields, ("aspectRatio", "height"))),
        duration_ms=first(fields, ("durationMs", "duration"), milliseconds),
        renditions=distinct((main, picture)),
    )


def read_items(value: object) -> list[Attachment]:
    """A list of media in any known spelling."""
    return [found for item in items_of(value) if (found := read_item(item))]


def read_single(
    record: Mapping[str, Any],
    kind: AttachmentKind,
    *,
    picture: Rendition | None,
    duration_ms: int | None = None,
    withheld: bool = False,
) -> Attachment:
    """The one thing of a post that is a video or a snap: its file, if given at all, and a still.

    It is known by the post's own id, so a new picture of it is not a new thing.
    """
    url = first(record, ("mediaUrl", "videoUrl"), url_of)
    return Attachment(
        kind,
        platform_id=id_of(record.get("id")),
        alt_text=text_of(record.get("altText")),
        width=size_of(record.get("width")),
        height=size_of(record.get("height")),
        duration_ms=duration_ms,
        renditions=distinct((original(url, "copyright" if withheld else "not_offered"), picture)),
    )


SINGLE = {
    "mediaUrl": "original: url",
    "videoUrl": "original: url",
    "altText": "alt_text",
    "width": "width",
    "height": "height",
}
"""What `read_single` reads."""
