"""TikTok: videos, of which only the cover is given. Durations are in seconds.

What is muted or flagged comes without media fields, or not at all, as the API's page says.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Attachment, Kind, Platform, hookimpl
from archiver_ayrshare.fields import AUTHOR, Fields
from archiver_ayrshare.media import (
    ITEM,
    SINGLE,
    kind_of_word,
    read_items,
    read_single,
    still,
    under,
)
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import first, milliseconds, text_of, url_of, word_of

_LISTS = ("mediaUrls", "imageUrls", "images")
_MEDIA_FIELDS = ("thumbnailUrl", "embedUrl", "mediaUrl", "videoUrl", "coverImageUrl")
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
            "thumbnailUrl": "thumbnail",
            "coverImageUrl": "cover",
            "thumbnailWidth": "thumbnail: width",
            "thumbnailHeight": "thumbnail: height",
            "videoDuration": "duration_ms, from seconds",
            "duration": "duration_ms, from seconds",
            "embedUrl": "without it and a thumbnail, the video is withheld",
            "mediaType": "kind",
            **{f"{key}[]": "original: url" for key in _LISTS},
            **{path: words for key in _LISTS for path, words in under(f"{key}[].", ITEM).items()},
        },
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
        return "post" if photos or any(record.get(key) for key in _LISTS) else "video"

    def author(self, record: Mapping[str, Any], url: str | None) -> str | None:
        """The handle, from the `@` of a URL where nothing else says it; else the name."""
        for address in (url, url_of(record.get("url"))):
            handle = address.partition("/@")[2].partition("/")[0] if address else ""
            if handle:
                return first(record, ("username", "handle"), text_of) or handle
        return first(record, ("username", "handle", "name"), text_of)

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """Photos in order, or the video, which the API does not give."""
        for key in _LISTS:
            if photos := read_items(record.get(key)):
                return photos
        width, height = record.get("thumbnailWidth"), record.get("thumbnailHeight")
        picture = still("thumbnail", record.get("thumbnailUrl"), width=width, height=height)
        return [
            read_single(
                record,
                kind_of_word(word_of(record.get("mediaType"))) or "video",
                picture=picture or still("cover", record.get("coverImageUrl")),
                duration_ms=milliseconds(record.get("videoDuration"), 1000)
                or milliseconds(record.get("duration"), 1000),
                withheld=first(record, _MEDIA_FIELDS, url_of) is None,
            )
        ]


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """TikTok, through Ayrshare."""
    return [TikTok()]
