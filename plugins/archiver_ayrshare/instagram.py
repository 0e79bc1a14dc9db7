"""Instagram: posts, carousels, reels and stories.

A picture or video without `mediaUrl` is omitted for copyright or a flag, as the API's page says;
its thumbnail is still there. Each child of a carousel may be omitted.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Alias, Attachment, Kind, Platform, Stream, hookimpl
from archiver_ayrshare.fields import Fields
from archiver_ayrshare.meta import MEDIA, children_of, is_carousel_not_understood, read_media
from archiver_ayrshare.options import MetaOptions, ProfileOptions
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import word_of

_KINDS: dict[str, Kind] = {"story": "story", "reels": "reel", "reel": "reel"}
_SHORTCODE = re.compile(r"instagram\.com/(?:[\w.]+/)?(?:p|reel|reels|tv)/([\w-]+)", re.ASCII)


class Instagram(AyrsharePlatform):
    """Instagram."""

    name = "instagram"
    options: type[ProfileOptions] = MetaOptions
    streams: Sequence[Stream] = ("posts", "stories")
    fields = Fields(
        aliases={"shortcode": "shortcode", "igId": "ig_id"},
        kind=("mediaProductType",),
        words={"mediaProductType": frozenset({*_KINDS, "ad", "feed"})},
        attachments=MEDIA,
        metrics={
            "playsCount": "plays",
            "plays": "plays",
            "videoViewsCount": "views",
            "totalInteractions": "total_interactions",
            "exitsCount": "exits",
            "tapsForwardCount": "taps_forward",
            "tapsBackCount": "taps_back",
        },
        content={"locationName": "location"},
        raw_only={
            "isCommentEnabled": "a setting, not what was published",
            "owner.id": "known from the account",
            "likedBy.*": "other people",
        },
    )

    def kind(self, record: Mapping[str, Any]) -> Kind:
        """By `mediaProductType`: AD and FEED are posts."""
        return _KINDS.get(word_of(record.get("mediaProductType")), "post")

    def aliases(self, record: Mapping[str, Any]) -> tuple[Alias, ...]:
        """And the short code in the post's URL: it stays when the id of a post does not."""
        return self.with_alias_in_url(record, "shortcode", _SHORTCODE)

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """A carousel's children in order, else the one thing that the post is."""
        if children := children_of(record):
            return [read_media(child, "copyright") for child in children]
        strange = is_carousel_not_understood(record)
        return [read_media(record, "not_offered" if strange else "copyright")]


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """Instagram, through Ayrshare."""
    return [Instagram()]
