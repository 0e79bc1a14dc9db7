"""TikTok: videos, of which only the cover is given. Durations are in seconds.

What is muted or flagged comes without media fields, or not at all, as the API's page says.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Alias, Attachment, Kind, Platform, hookimpl
from archiver_ayrshare.addresses import url_of
from archiver_ayrshare.fields import AUTHOR, Fields
from archiver_ayrshare.forms import (
    ADDRESS,
    COVER,
    DURATION_SECONDS,
    KIND,
    ORIGINAL,
    SIZE,
    THUMBNAIL,
    Slot,
)
from archiver_ayrshare.media import (
    ITEM,
    SINGLE,
    address_of,
    items_of,
    kind_of_word,
    prefixed,
    read_items,
    read_single,
    rendition_of,
)
from archiver_ayrshare.numbers import milliseconds
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import first, name_of, word_of

_LISTS = ("mediaUrls", "imageUrls", "images")
_MEDIA_FIELDS = ("thumbnailUrl", "embedUrl", "mediaUrl", "videoUrl", "coverImageUrl")
_VIDEO = re.compile(r"tiktok\.com/@[\w.-]+/(?:video|photo)/(\d+)", re.ASCII)
_AUDIENCE = "a distribution: see the record"


class TikTok(AyrsharePlatform):
    """TikTok."""

    name = "tiktok"
    absence_note = "TikTok also leaves out what it has flagged for copyright"
    fields = Fields(
        author=(*AUTHOR, "postUrl", "shareUrl", "url", "name"),
        visibility=("privacyLevel",),
        kind=("mediaType",),
        metrics={
            "averageTimeWatched": "average_time_watched",
            "totalTimeWatched": "total_time_watched",
            "fullVideoWatchedRate": "full_video_watched_rate",
            "favoritesCount": "saves",
            "favorites": "saves",
        },
        attachments={
            **SINGLE,
            "thumbnailUrl": THUMBNAIL,
            "coverImageUrl": COVER,
            "thumbnailWidth": Slot("thumbnail: width", SIZE),
            "thumbnailHeight": Slot("thumbnail: height", SIZE),
            "videoDuration": DURATION_SECONDS,
            "duration": DURATION_SECONDS,
            "embedUrl": Slot("without it and a thumbnail, the video is omitted", ADDRESS),
            "mediaType": KIND,
            **{f"{key}[]": ORIGINAL for key in _LISTS},
            **{path: slot for key in _LISTS for path, slot in prefixed(f"{key}[].", ITEM).items()},
        },
        forms={"postUrl": ADDRESS, "shareUrl": ADDRESS, "url": ADDRESS},
        content={"musicTitle": "music", "tags.*": "tags"},
        raw_only={
            "audienceCities.*": _AUDIENCE,
            "audienceCountries.*": _AUDIENCE,
            "audienceTypes.*": _AUDIENCE,
            "engagementLikes.*": _AUDIENCE,
            "impressionSources.*": _AUDIENCE,
            "videoViewRetention.*": _AUDIENCE,
            "musicUrl": "a page of TikTok, never fetched",
        },
    )

    def kind(self, record: Mapping[str, Any]) -> Kind:
        """A video, if not a series of photos."""
        photos = kind_of_word(word_of(record.get("mediaType"))) == "image"
        return "post" if photos or any(items_of(record.get(key)) for key in _LISTS) else "video"

    def aliases(self, record: Mapping[str, Any]) -> tuple[Alias, ...]:
        """And the id in the post's URL."""
        return self.with_alias_in_url(record, "video", _VIDEO)

    def author(self, record: Mapping[str, Any], url: str | None) -> str | None:
        """The handle, from the `@` of a URL where nothing else says it; else the name."""
        for address in (url, url_of(record.get("url"))):
            handle = address.partition("/@")[2].partition("/")[0] if address else ""
            if handle:
                return first(record, ("username", "handle"), name_of) or handle
        return first(record, ("username", "handle", "name"), name_of)

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """Photos in order, or the video, which the API does not give."""
        for key in _LISTS:
            if photos := read_items(record.get(key)):
                return photos
        width, height = record.get("thumbnailWidth"), record.get("thumbnailHeight")
        picture = rendition_of("thumbnail", record.get("thumbnailUrl"), width=width, height=height)
        cover = rendition_of("cover", record.get("coverImageUrl"))
        return [
            read_single(
                record,
                kind_of_word(word_of(record.get("mediaType"))) or "video",
                picture=cover if cover and not address_of(picture) else picture,
                duration_ms=milliseconds(record.get("videoDuration"), 1000)
                or milliseconds(record.get("duration"), 1000),
                omitted=all(record.get(key) in (None, []) for key in (*_MEDIA_FIELDS, *_LISTS)),
            )
        ]


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """TikTok, through Ayrshare."""
    return [TikTok()]
