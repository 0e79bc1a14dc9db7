"""The media object that Instagram and Threads share: one file, or children in order.

Meta leaves `mediaUrl` out where a file is withheld; what that means is the platform's to say.
"""

from collections.abc import Mapping
from typing import Any, Literal

from archiver import Attachment, AttachmentKind
from archiver_ayrshare.media import distinct, items_of, kind_of_url, kind_of_word, original, still
from archiver_ayrshare.values import (
    first,
    id_of,
    milliseconds,
    object_of,
    size_of,
    text_of,
    url_of,
    word_of,
)

Absence = Literal["copyright", "not_offered"]

_CHILD = {
    "id": "platform_id",
    "mediaUrl": "original",
    "url": "original",
    "thumbnailUrl": "thumbnail",
    "mediaType": "kind",
    "altText": "alt_text",
    "width": "width",
    "height": "height",
    "duration": "duration_ms, from seconds",
}
LISTS = ("mediaUrls", "children", "children.data", "carousel")
"""Where the children of a carousel may be."""

MEDIA = {
    "mediaUrl": "original",
    "thumbnailUrl": "thumbnail",
    "mediaType": "kind",
    "altText": "alt_text",
    "width": "width",
    "height": "height",
    "duration": "duration_ms, from seconds",
    **{f"{path}[]": "original" for path in LISTS},
    **{f"{path}[].{key}": words for path in LISTS for key, words in _CHILD.items()},
}
"""What is understood of a media object."""


def children_of(record: Mapping[str, Any]) -> list[Any]:
    """The items of a carousel, in order; none where the post is one thing."""
    return next(
        (
            items
            for key in ("mediaUrls", "children", "carousel")
            if (items := items_of(record.get(key)))
        ),
        [],
    )


def read_media(item: object, absence: Absence) -> Attachment:
    """One file with its still, or the fact that it is absent."""
    fields = object_of(item) or {"mediaUrl": item}
    url = first(fields, ("mediaUrl", "url"), url_of)
    picture = still("thumbnail", fields.get("thumbnailUrl"))
    word = word_of(fields.get("mediaType"))
    return Attachment(
        _kind(word, url, has_still=picture is not None),
        platform_id=id_of(fields.get("id")),
        alt_text=text_of(fields.get("altText")),
        width=size_of(fields.get("width")),
        height=size_of(fields.get("height")),
        duration_ms=milliseconds(fields.get("duration"), 1000),
        renditions=distinct((original(url, absence), picture)),
    )


def _kind(word: str, url: str | None, *, has_still: bool) -> AttachmentKind:
    """By word, by suffix, by having a still. What is withheld is nearly always a video's sound."""
    found = kind_of_word(word) or kind_of_url(url)
    return found or ("video" if has_still or url is None else "image")
