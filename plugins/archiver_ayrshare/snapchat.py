"""Snapchat: stories that expire, saved stories and spotlights, each with a thumbnail only."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Alias, Attachment, Kind, Platform, Stream, hookimpl
from archiver_ayrshare.fields import Fields
from archiver_ayrshare.forms import DURATION_MS, THUMBNAIL, WORD, Slot
from archiver_ayrshare.media import SINGLE, kind_of_word, read_single, rendition_of
from archiver_ayrshare.numbers import milliseconds
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import word_of

_KINDS: dict[str, Kind] = {
    "public_story": "story",
    "story": "story",
    "saved_story": "saved_story",
    "spotlight": "spotlight",
}
_SNAP = re.compile(r"snapchat\.com/(?:[\w.@-]+/)?spotlight/([\w-]+)", re.ASCII)


class Snapchat(AyrsharePlatform):
    """Snapchat."""

    name = "snapchat"
    streams: Sequence[Stream] = ("posts", "stories")
    fields = Fields(
        kind=("type",),
        words={"type": frozenset(_KINDS)},
        attachments={
            **SINGLE,
            "thumbnailUrl": THUMBNAIL,
            "mediaType": Slot("kind; without it, a video", WORD),
            "durationMs": DURATION_MS,
        },
        raw_only={
            "profileId": "known from the account",
            "ended": "when the story was taken down",
        },
    )

    def kind(self, record: Mapping[str, Any]) -> Kind:
        """By `type`: PUBLIC_STORY, SAVED_STORY or SPOTLIGHT."""
        return _KINDS.get(word_of(record.get("type")), "post")

    def aliases(self, record: Mapping[str, Any]) -> tuple[Alias, ...]:
        """The id in a spotlight's URL, where there is one."""
        return self.with_alias_in_url(record, "spotlight", _SNAP)

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """The snap, which the API does not give, and its thumbnail."""
        return [
            read_single(
                record,
                kind_of_word(word_of(record.get("mediaType"))) or "video",
                picture=rendition_of("thumbnail", record.get("thumbnailUrl")),
                duration_ms=milliseconds(record.get("durationMs")),
            )
        ]


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """Snapchat, through Ayrshare."""
    return [Snapchat()]
