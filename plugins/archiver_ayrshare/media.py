"""Reads attachments and their renditions: what several platforms have in common.

The renditions of an attachment are in order of preference, the original first. A still whose URL
is that of a rendition before it, but for the signature, is the same file, and is left out.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from archiver import Attachment, AttachmentKind, Rendition, Role, address_key
from archiver_ayrshare.addresses import HLS, encodable, playlist_type, suffix_of, url_of
from archiver_ayrshare.forms import (
    ALT_TEXT,
    CONTENT_TYPE,
    DURATION_MS,
    HEIGHT,
    KIND,
    ORIGINAL,
    PLATFORM_ID,
    THUMBNAIL,
    WIDTH,
    Slot,
)
from archiver_ayrshare.numbers import milliseconds, size_of
from archiver_ayrshare.values import dig, first, id_of, is_blank, list_of, text_of, word_of

URL_KEYS = ("mediaUrl", "url", "src", "source", "fullsize", "videoUrl", "imageUrl")
STILL_KEYS = ("thumbnailUrl", "previewImageUrl", "coverImageUrl", "thumbnail", "thumb")
ID_KEYS = ("id", "mediaId", "mediaKey", "cid")
ALT_KEYS = ("altText", "alt")

ITEM = {
    **dict.fromkeys((*URL_KEYS, "playlist"), ORIGINAL),
    **dict.fromkeys(STILL_KEYS, THUMBNAIL),
    **dict.fromkeys(ID_KEYS, PLATFORM_ID),
    **dict.fromkeys(ALT_KEYS, ALT_TEXT),
    "mediaType": KIND,
    "type": KIND,
    "contentType": CONTENT_TYPE,
    "mimeType": CONTENT_TYPE,
    "width": WIDTH,
    "height": HEIGHT,
    "aspectRatio.width": WIDTH,
    "aspectRatio.height": HEIGHT,
    "duration": DURATION_MS,
    "durationMs": DURATION_MS,
}
"""The known fields of an item in a list of media; its structure is not documented."""

_MAX_SHOWN = 500  # characters shown of a value that is not understood as a URL

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
    """The kind for a platform's media type, or for a content type."""
    return next((kind for part, kind in _KINDS if part in word), None) if word else None


def kind_of_url(url: str | None) -> AttachmentKind | None:
    """The kind for the file extension in a URL."""
    return _BY_SUFFIX.get(suffix_of(url)) if url else None


def prefixed(prefix: str, table: Mapping[str, Slot]) -> dict[str, Slot]:
    """A table whose paths have a prefix."""
    return {f"{prefix}{path}": slot for path, slot in table.items()}


def distinct(renditions: Iterable[Rendition | None]) -> tuple[Rendition, ...]:
    """The renditions in order, without those whose file is there already under another URL."""
    given = [rendition for rendition in renditions if rendition is not None]
    if len(given) < 2:
        return tuple(given)
    kept: list[Rendition] = []
    seen: set[str] = set()
    for rendition in given:
        url = address_of(rendition)
        if url is not None:
            name = address_key(url)
            if name in seen:
                continue
            seen.add(name)
        kept.append(rendition)
    return tuple(kept)


def rendition_of(
    role: Role,
    *values: object,
    content_type: str | None = None,
    width: object = None,
    height: object = None,
    bitrate: object = None,
) -> Rendition | None:
    """A rendition of the first value that is a URL; if none is, an `address_not_understood`.

    None where all values are missing, null, blank or false. Playlists get their content type.
    """
    for value in values:
        if value is not None and (url := url_of(value)) is not None:
            return Rendition(
                role,
                url=url,
                content_type=content_type or playlist_type(url),
                width=None if width is None else size_of(width),
                height=None if height is None else size_of(height),
                bitrate=None if bitrate is None else size_of(bitrate),
            )
    for value in values:
        if value is not None and value is not False and not is_blank(value):
            return Rendition(role, url=_shown(value), absent="address_not_understood")
    return None


def address_of(rendition: Rendition | None) -> str | None:
    """The URL of a rendition that has a file, else None."""
    return None if rendition is None or rendition.absent else rendition.url


def _shown(value: object) -> str:
    """A value that was not understood, as text for people."""
    if not isinstance(value, str):
        try:
            value = json.dumps(value, ensure_ascii=False, sort_keys=True)
        except (RecursionError, ValueError):
            value = "a value too deep or too long to be shown"
    return encodable(value)[:_MAX_SHOWN]


def original(
    *values: object,
    absent: Literal["copyright", "not_offered"] = "not_offered",
    width: object = None,
    height: object = None,
) -> Rendition:
    """The original rendition, or one that is absent, with the reason.

    `copyright` is the reason only where all values are null: blank text is `not understood`.
    """
    found = rendition_of("original", *values, width=width, height=height)
    if found is None and absent == "copyright" and any(value is not None for value in values):
        return Rendition("original", absent="address_not_understood")
    return found or Rendition("original", absent=absent)


def add_still(attachments: Sequence[Attachment], picture: Rendition | None) -> list[Attachment]:
    """The attachments, with a still of the whole post added to the first; alone, it is an image."""
    if picture is None:
        return list(attachments)
    if not attachments:
        return [Attachment("image", renditions=(picture,))]
    leading = attachments[0]
    renditions = distinct((*leading.renditions, picture))
    return [replace(leading, renditions=renditions), *attachments[1:]]


def items_of(value: object) -> list[Any]:
    """The items of a list of media, also of `{"data": […]}`, without null and blank ones.

    They are objects, URLs, or values that are not understood.
    """
    if isinstance(value, dict) and isinstance(value.get("data"), list | dict):
        value = value["data"]
    is_scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    items = [value] if is_scalar else list_of(value)
    return [item for item in items if not is_blank(item)]


def read_item(item: object, kind: AttachmentKind | None = None) -> Attachment | None:
    """An attachment from an item with the fields of `ITEM`; None where it has none of them."""
    fields: Mapping[str, Any] = item if isinstance(item, dict) else {"mediaUrl": item}
    content_type = first(fields, ("contentType", "mimeType"), _content_type)
    main = rendition_of(
        "original", *[fields.get(key) for key in URL_KEYS], content_type=content_type
    ) or (rendition_of("original", fields.get("playlist"), content_type=content_type or HLS))
    url = address_of(main)
    words = " ".join(word_of(fields.get(key)) for key in ("mediaType", "type"))
    kind = kind or kind_of_word(words) or kind_of_word((content_type or "").lower())
    picture = rendition_of("thumbnail", *[fields.get(key) for key in STILL_KEYS])
    kind = kind or kind_of_url(url) or (("video" if picture else "image") if main else None)
    if not (main or picture or kind):
        return None
    if kind == "link":
        main = None
        picture = replace(picture, role="preview") if picture else None
    else:
        main = main or original()
    return Attachment(
        kind or "video",
        platform_id=first(fields, ID_KEYS, id_of),
        alt_text=first(fields, ALT_KEYS, text_of),
        width=size_of(fields.get("width")) or size_of(dig(fields, ("aspectRatio", "width"))),
        height=size_of(fields.get("height")) or size_of(dig(fields, ("aspectRatio", "height"))),
        duration_ms=first(fields, ("durationMs", "duration"), milliseconds),
        renditions=distinct((main, picture)),
    )


def _content_type(value: object) -> str | None:
    return text_of(value.strip()) if isinstance(value, str) else None


def read_items(value: object) -> list[Attachment]:
    """The attachments of a list of media items."""
    return [found for item in items_of(value) if (found := read_item(item))]


def read_single(
    record: Mapping[str, Any],
    kind: AttachmentKind,
    *,
    picture: Rendition | None,
    duration_ms: int | None = None,
    omitted: bool = False,
) -> Attachment:
    """The one attachment of a post of a video or snap: its file, if given, and a still.

    Its id is that of the post, so that a new still does not make a new attachment.
    """
    main = original(
        record.get("mediaUrl"),
        record.get("videoUrl"),
        absent="copyright" if omitted else "not_offered",
    )
    return Attachment(
        kind,
        platform_id=id_of(record.get("id")),
        alt_text=text_of(record.get("altText")),
        width=size_of(record.get("width")),
        height=size_of(record.get("height")),
        duration_ms=duration_ms,
        renditions=distinct((main, picture)),
    )


SINGLE = {
    "mediaUrl": ORIGINAL,
    "videoUrl": ORIGINAL,
    "altText": ALT_TEXT,
    "width": WIDTH,
    "height": HEIGHT,
}
"""What `read_single` reads."""
