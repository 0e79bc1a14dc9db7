"""Pinterest: pins with an image, a video or several of both.

Of a video only a cover is given, even where it is called `mediaUrl`. Durations are in ms.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Attachment, Kind, Platform, hookimpl
from archiver_ayrshare.fields import Fields
from archiver_ayrshare.media import distinct, items_of, kind_of_url, kind_of_word, original, still
from archiver_ayrshare.platform import AyrsharePlatform
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

_ITEM = {
    "mediaUrl": "image: original; video: cover",
    "coverImageUrl": "cover",
    "thumbnailUrl": "thumbnail",
    "mediaType": "kind",
    "width": "width",
    "height": "height",
    "duration": "duration_ms",
    "altText": "alt_text",
}


class Pinterest(AyrsharePlatform):
    """Pinterest."""

    name = "pinterest"
    usual_kind: Kind = "pin"
    fields = Fields(
        attachments={
            **_ITEM,
            "mediaUrls[]": "original",
            "mediaUrls[].id": "platform_id",
            "mediaUrls[].url": "as mediaUrl",
            **{f"mediaUrls[].{key}": words for key, words in _ITEM.items()},
        },
        metrics={
            "pinClicks": "pin_clicks",
            "pinClickCount": "pin_clicks",
            "outboundClicks": "outbound_clicks",
            "outboundClickCount": "outbound_clicks",
        },
        content={
            "link": "link",
            "note": "note",
            "boardId": "board_id",
            "boardSectionId": "board_section_id",
            "productTags.*": "product_tags",
        },
        raw_only={
            "dominantColor": "computed by Pinterest",
            "boardName": "the board's own; board_id is kept",
            "creativeType": "computed by Pinterest",
        },
    )

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """The items in order, or the one thing that the pin is, known by the pin's id."""
        if items := items_of(record.get("mediaUrls")):
            return [_attachment(item) for item in items]
        if first(record, ("mediaUrl", "coverImageUrl", "mediaType"), text_of):
            return [_attachment(record)]
        return []


def _attachment(item: object) -> Attachment:
    fields = object_of(item) or {"mediaUrl": item}
    url = first(fields, ("mediaUrl", "url"), url_of)
    kind = kind_of_word(word_of(fields.get("mediaType"))) or kind_of_url(url) or "image"
    cover = still("cover", fields.get("coverImageUrl"))
    thumbnail = still("thumbnail", fields.get("thumbnailUrl"))
    if kind == "video" and url and kind_of_url(url) != "video":
        files = [original(None), still("cover", url), cover, thumbnail]
    else:
        files = [original(url), cover, thumbnail]
    return Attachment(
        kind,
        platform_id=id_of(fields.get("id")),
        alt_text=text_of(fields.get("altText")),
        width=size_of(fields.get("width")),
        height=size_of(fields.get("height")),
        duration_ms=milliseconds(fields.get("duration")),
        renditions=distinct(files),
    )


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """Pinterest, through Ayrshare."""
    return [Pinterest()]
