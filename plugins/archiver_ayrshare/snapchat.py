"""Snapchat: stories that expire, saved stories and spotlights, each with a thumbnail only."""

from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Attachment, Kind, Platform, Stream, hookimpl
from archiver_ayrshare.fields import Fields
from archiver_ayrshare.media import SINGLE, kind_of_word, read_single, still
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import milliseconds, word_of

_KINDS: dict[str, Kind] = {
    "public_story": "story",
    "story": "story",
    "saved_story": "saved_story",
    "spotlight": "spotlight",
}


class Snapchat(AyrsharePlatform):
    """Snapchat."""

    name = "snapchat"
    streams: Sequence[Stream] = ("posts", "stories")
    fields = Fields(
        kind=("type",),
        words={"type": frozenset(_KINDS)},
        attachments={
            **SINGLE,
            "thumbnailUrl": "thumbnail",
            "mediaType": "kind; without it, a video",
            "durationMs": "duration_ms",
        },
        raw_only={
            "profileId": "the account says it",
            "ended": "when the story was taken down",
        },
    )

    def kind(self, record: Mapping[str, Any]) -> Kind:
        """By `type`: PUBLIC_STORY, SAVED_STORY or SPOTLIGHT."""
        return _KINDS.get(word_of(record.get("type")), "post")

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """The snap, which the API does not give, and its thumbnail."""
        return [
            read_single(
                record,
                kind_of_word(word_of(record.get("mediaType"))) or "video",
                picture=still("thumbnail", record.get("thumbnailUrl")),
                duration_ms=milliseconds(record.get("durationMs")),
            )
        ]


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """Snapchat, through Ayrshare."""
    return [Snapchat()]
