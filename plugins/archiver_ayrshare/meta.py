"""The media object of Instagram and Threads: one file, or the children of a carousel in order.

Meta leaves `mediaUrl` out where it omits a file; the reason for that depends on the platform.
"""

from collections.abc import Mapping
from typing import Any, Literal

from archiver import Attachment, AttachmentKind
from archiver_ayrshare.forms import (
    ALT_TEXT,
    DURATION_SECONDS,
    HEIGHT,
    KIND,
    ORIGINAL,
    PLATFORM_ID,
    THUMBNAIL,
    WIDTH,
)
from archiver_ayrshare.media import (
    address_of,
    distinct,
    items_of,
    kind_of_url,
    kind_of_word,
    original,
    rendition_of,
)
from archiver_ayrshare.numbers import milliseconds, size_of
from archiver_ayrshare.values import id_of, is_blank, object_of, text_of, word_of

AbsenceReason = Literal["copyright", "not_offered"]

_ITEM = {
    "mediaUrl": ORIGINAL,
    "thumbnailUrl": THUMBNAIL,
    "mediaType": KIND,
    "altText": ALT_TEXT,
    "width": WIDTH,
    "height": HEIGHT,
    "duration": DURATION_SECONDS,
}
_CHILD = {"id": PLATFORM_ID, "url": ORIGINAL, **_ITEM}
_KEYS = ("mediaUrls", "children", "carousel")
LISTS = ("mediaUrls", "children", "children.data", "carousel")
"""Where the children of a carousel may be."""

MEDIA = {
    **_ITEM,
    **{f"{path}[]": ORIGINAL for path in LISTS},
    **{f"{path}[].{key}": slot for path in LISTS for key, slot in _CHILD.items()},
}
"""The known fields of a media object."""


def children_of(record: Mapping[str, Any]) -> list[Any]:
    """The items of a carousel, in order; none where the post is one thing."""
    return next((items for key in _KEYS if (items := items_of(record.get(key)))), [])


def is_carousel_not_understood(record: Mapping[str, Any]) -> bool:
    """Whether the record has children, of which none is understood."""
    values = (record.get(key) for key in _KEYS)
    return any(not isinstance(value, list) and not is_blank(value) for value in values)


def read_media(item: object, absence: AbsenceReason) -> Attachment:
    """One attachment: its file, which may be absent, and its still."""
    fields = object_of(item) or {"mediaUrl": item}
    main = original(fields.get("mediaUrl"), fields.get("url"), absent=absence)
    picture = rendition_of("thumbnail", fields.get("thumbnailUrl"))
    word = word_of(fields.get("mediaType"))
    return Attachment(
        _kind(word, address_of(main), has_still=picture is not None),
        platform_id=id_of(fields.get("id")),
        alt_text=text_of(fields.get("altText")),
        width=size_of(fields.get("width")),
        height=size_of(fields.get("height")),
        duration_ms=milliseconds(fields.get("duration"), 1000),
        renditions=distinct((main, picture)),
    )


def _kind(word: str, url: str | None, *, has_still: bool) -> AttachmentKind:
    """By its media type, by the suffix of its URL, else a video where it has a still or no file.

    An omitted file is nearly always a video, for its music.
    """
    found = kind_of_word(word) or kind_of_url(url)
    return found or ("video" if has_still or url is None else "image")
