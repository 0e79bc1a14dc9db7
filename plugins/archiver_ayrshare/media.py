"""Attachments and their files, as far as platforms agree on them.

The files of an attachment stand in the order in which they are wanted, the original first. A still
with the address of a file before it, but for its signature, is that file again, and is left out.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from archiver import Attachment, AttachmentKind, Rendition, Role, address_key
from archiver_ayrshare.addresses import HLS, playlist_type, storable, suffix_of, url_of
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
"""What is understood of one item of a list of media whose shape no page documents."""

_LONGEST_SHOWN = 500  # characters of a value that is no address

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
    """The kind that a platform's word or a content type stands for."""
    return next((kind for part, kind in _KINDS if part in word), None) if word else None


def kind_of_url(url: str | None) -> AttachmentKind | None:
    """The kind that the suffix of a URL's path stands for."""
    return _BY_SUFFIX.get(suffix_of(url)) if url else None


def under(prefix: str, table: Mapping[str, Slot]) -> dict[str, Slot]:
    """A table's paths below another path."""
    return {f"{prefix}{path}": slot for path, slot in table.items()}


def distinct(renditions: Iterable[Rendition | None]) -> tuple[Rendition, ...]:
    """The files in order, without those that are there already under another address."""
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


def offered(
    role: Role,
    *values: object,
    content_type: str | None = None,
    width: object = None,
    height: object = None,
    bitrate: object = None,
) -> Rendition | None:
    """The file at the first of these that is an address, or the fact that none of them is one.

    None where they say nothing: missing, null, blank or false. A playlist says that it is one.
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
    """The address of a file, where there is one."""
    return None if rendition is None or rendition.absent else rendition.url


def _shown(value: object) -> str:
    """A value that is no address, as text for people."""
    if not isinstance(value, str):
        try:
            value = json.dumps(value, ensure_ascii=False, sort_keys=True)
        except (RecursionError, ValueError):
            value = "a value too deep or too long to be shown"
    return storable(value)[:_LONGEST_SHOWN]


def original(
    *values: object,
    absent: Literal["copyright", "not_offered"] = "not_offered",
    width: object = None,
    height: object = None,
) -> Rendition:
    """The thing itself, or the fact that the source does not give it, and why.

    Copyright is the reason only where the record truly has nothing: blank text is something.
    """
    found = offered("original", *values, width=width, height=height)
    if found is None and absent == "copyright" and any(value is not None for value in values):
        return Rendition("original", absent="address_not_understood")
    return found or Rendition("original", absent=absent)


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
    """The items of a list of media, also wrapped as `{"data": […]}`, without those that are null.

    They are objects, bare addresses, or values that are not understood, which are kept.
    """
    if isinstance(value, dict) and isinstance(value.get("data"), list | dict):
        value = value["data"]
    is_scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    items = [value] if is_scalar else list_of(value)
    return [item for item in items if not is_blank(item)]


def read_item(item: object, kind: AttachmentKind | None = None) -> Attachment | None:
    """One item of media in any of the spellings of `ITEM`; None where there is none in it."""
    fields: Mapping[str, Any] = item if isinstance(item, dict) else {"mediaUrl": item}
    content_type = first(fields, ("contentType", "mimeType"), _content_type)
    main = offered(
        "original", *[fields.get(key) for key in URL_KEYS], content_type=content_type
    ) or (offered("original", fields.get("playlist"), content_type=content_type or HLS))
    url = address_of(main)
    words = " ".join(word_of(fields.get(key)) for key in ("mediaType", "type"))
    kind = kind or kind_of_word(words) or kind_of_word((content_type or "").lower())
    picture = offered("thumbnail", *[fields.get(key) for key in STILL_KEYS])
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
    main = original(
        record.get("mediaUrl"),
        record.get("videoUrl"),
        absent="copyright" if withheld else "not_offered",
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
