"""YouTube: videos, of which only the thumbnail is given, and no statistics.

The list of uploads still shows videos that were made private or removed, under a title that YouTube
puts in place of the video's own. That is a change of visibility, and no edit of the title.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Alias, Attachment, Kind, Platform, hookimpl
from archiver_ayrshare.fields import Fields
from archiver_ayrshare.forms import DURATION_MS, DURATION_SECONDS, THUMBNAIL
from archiver_ayrshare.media import SINGLE, read_single, rendition_of
from archiver_ayrshare.numbers import milliseconds
from archiver_ayrshare.platform import AyrsharePlatform

_PLACEHOLDERS = {"Private video": "private", "Deleted video": "removed"}
"""Titles that YouTube puts in place of a video's own (playlistItems of the YouTube Data API)."""

_VIDEO = re.compile(
    r"(?:youtube\.com/(?:watch\?(?:[^#]*&)?v=|shorts/|live/)|youtu\.be/)([\w-]{11})(?![\w-])",
    re.ASCII,
)


class YouTube(AyrsharePlatform):
    """YouTube."""

    name = "youtube"
    usual_kind: Kind = "video"
    fields = Fields(
        visibility=("privacyStatus",),
        author=("username", "handle", "channelTitle"),
        attachments={
            **SINGLE,
            "thumbnailUrl": THUMBNAIL,
            "durationMs": DURATION_MS,
            "duration": DURATION_SECONDS,
        },
        content={"tags.*": "tags", "playlistId": "playlist_id"},
        metrics={"dislikeCount": "dislikes", "favoriteCount": "favorites"},
        raw_only={
            "position": "the place in the uploads playlist, which every upload moves",
            "channelId": "known from the account",
            "embedUrl": "a page of YouTube, never fetched",
        },
    )

    def is_id_only(self, record: Mapping[str, Any]) -> bool:
        """True for a placeholder title too: the rest of the record is not the video's own."""
        return self._placeholder(record) is not None or super().is_id_only(record)

    def visibility(self, record: Mapping[str, Any]) -> str | None:
        """As the record has it; `private` or `removed` for a placeholder title."""
        return self._placeholder(record) or super().visibility(record)

    def _placeholder(self, record: Mapping[str, Any]) -> str | None:
        return _PLACEHOLDERS.get(self.reader.title(record) or "")

    def aliases(self, record: Mapping[str, Any]) -> tuple[Alias, ...]:
        """And the id in the video's URL."""
        return self.with_alias_in_url(record, "video", _VIDEO)

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """The video, which the API does not give, and its thumbnail."""
        return [
            read_single(
                record,
                "video",
                picture=rendition_of("thumbnail", record.get("thumbnailUrl")),
                duration_ms=milliseconds(record.get("durationMs"))
                or milliseconds(record.get("duration"), 1000),
            )
        ]


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """YouTube, through Ayrshare."""
    return [YouTube()]
