"""Pinterest: pins with an image, a video or several of both.

Of a video only a cover is given, even where it is called `mediaUrl`. Durations are in ms.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Alias, Attachment, Kind, Platform, hookimpl
from archiver_ayrshare.fields import Fields
from archiver_ayrshare.forms import (
    ALT_TEXT,
    COVER,
    DURATION_MS,
    FILE,
    HEIGHT,
    KIND,
    ORIGINAL,
    PLATFORM_ID,
    THUMBNAIL,
    WIDTH,
    Slot,
)
from archiver_ayrshare.media import (
    address_of,
    distinct,
    items_of,
    kind_of_url,
    kind_of_word,
    original,
    prefixed,
    rendition_of,
)
from archiver_ayrshare.numbers import milliseconds, size_of
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import id_of, is_blank, object_of, text_of, word_of

_FILE = Slot("image: original; video: cover", FILE)
_ITEM = {
    "mediaUrl": _FILE,
    "coverImageUrl": COVER,
    "thumbnailUrl": THUMBNAIL,
    "mediaType": KIND,
    "width": WIDTH,
    "height": HEIGHT,
    "duration": DURATION_MS,
    "altText": ALT_TEXT,
}
_PIN = re.compile(r"pinterest\.[a-z.]{2,6}/pin/(?:[^/?#]*--)?(\d+)", re.ASCII)


class Pinterest(AyrsharePlatform):
    """Pinterest."""

    name = "pinterest"
    usual_kind: Kind = "pin"
    fields = Fields(
        attachments={
            **_ITEM,
            "mediaUrls[]": ORIGINAL,
            **prefixed("mediaUrls[].", {"id": PLATFORM_ID, "url": _FILE, **_ITEM}),
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

    def aliases(self, record: Mapping[str, Any]) -> tuple[Alias, ...]:
        """And the pin's number in its URL."""
        return self.with_alias_in_url(record, "pin", _PIN)

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """The items in order, or the one thing that the pin is, known by the pin's id."""
        if items := items_of(record.get("mediaUrls")):
            return [_attachment(item) for item in items]
        keys = ("mediaUrl", "coverImageUrl", "thumbnailUrl", "mediaType")
        if any(not is_blank(record.get(key)) for key in keys):
            return [_attachment(record)]
        return []


def _attachment(item: object) -> Attachment:
    fields = object_of(item) or {"mediaUrl": item}
    main = original(fields.get("mediaUrl"), fields.get("url"))
    url = address_of(main)
    kind = kind_of_word(word_of(fields.get("mediaType"))) or kind_of_url(url) or "image"
    cover = rendition_of("cover", fields.get("coverImageUrl"))
    thumbnail = rendition_of("thumbnail", fields.get("thumbnailUrl"))
    if kind == "video" and url and kind_of_url(url) != "video":
        files = [original(), rendition_of("cover", url), cover, thumbnail]
    else:
        files = [main, cover, thumbnail]
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
