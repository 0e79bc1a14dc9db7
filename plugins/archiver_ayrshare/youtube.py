"""YouTube: videos, of which only the thumbnail is given, and no statistics."""

from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Attachment, Kind, Platform, hookimpl
from archiver_ayrshare.fields import Fields
from archiver_ayrshare.media import SINGLE, read_single, still
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import milliseconds


class YouTube(AyrsharePlatform):
    """YouTube."""

    name = "youtube"
    usual_kind: Kind = "video"
    fields = Fields(
        visibility=("privacyStatus",),
        author=("username", "handle", "channelTitle"),
        attachments={
            **SINGLE,
            "thumbnailUrl": "thumbnail",
            "durationMs": "duration_ms",
        },
        content={"tags.*": "tags", "playlistId": "playlist_id"},
        metrics={"dislikeCount": "dislikes", "favoriteCount": "favorites"},
        raw_only={
            "position": "the place in the uploads playlist, which every upload moves",
            "channelId": "the account says it",
            "embedUrl": "a page of YouTube, never fetched",
        },
    )

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """The video, which the API does not give, and its thumbnail."""
        return [
            read_single(
                record,
                "video",
                picture=still("thumbnail", record.get("thumbnailUrl")),
                duration_ms=milliseconds(record.get("durationMs")),
            )
        ]


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """YouTube, through Ayrshare."""
    return [YouTube()]
