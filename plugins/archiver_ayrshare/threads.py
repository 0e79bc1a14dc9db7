"""Threads. No example record is documented.

Its shape is that of Meta's Threads media object, as the API's published test of 2024-11-11 names
it (`text`, `timestamp`, `permalink`, `shortcode`, `mediaType`, `isQuotePost` …), and that of the
other platforms of this API, which later clients read (`post`, `created`, `postUrl`).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Alias, Attachment, Kind, Platform, Relation, RelationKind, hookimpl
from archiver_ayrshare.addresses import url_of
from archiver_ayrshare.fields import Fields
from archiver_ayrshare.forms import ADDRESS, FILE, FLAG, ID, Slot
from archiver_ayrshare.media import rendition_of
from archiver_ayrshare.meta import MEDIA, children_of, read_media
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import first, flag_of, id_of, object_of, word_of

_REFERENCES: tuple[tuple[RelationKind, tuple[str, ...]], ...] = (
    ("reposts", ("repostedPost", "reposted_post")),
    ("reply_to", ("repliedTo", "replied_to", "replyTo")),
    ("quotes", ("quotedPost", "quoted_post")),
)
_KINDS: dict[RelationKind, Kind] = {"reposts": "repost", "reply_to": "reply", "quotes": "quote"}
_SHORTCODE = re.compile(r"threads\.(?:net|com)/(?:@[\w.]+/post|t)/([\w-]+)", re.ASCII)
_MEDIA_WORDS = ("image", "video", "audio", "carousel")


class Threads(AyrsharePlatform):
    """Threads."""

    name = "threads"
    fields = Fields(
        text=("post", "text", "caption", "message"),
        aliases={"shortcode": "shortcode"},
        kind=("isQuotePost", "isReply"),
        relations={
            f"{key}{below}": Slot(kind, form)
            for kind, keys in _REFERENCES
            for key in keys
            for below, form in {"": ID, ".id": ID, ".permalink": ADDRESS, ".url": ADDRESS}.items()
        },
        attachments={**MEDIA, "gifUrl": Slot("gif: original", FILE)},
        forms={"isQuotePost": FLAG, "isReply": FLAG},
        content={
            "linkAttachmentUrl": "link",
            "replyAudience": "reply_audience",
            "topicTag": "topic",
            "pollAttachment.*": "poll",
        },
        raw_only={
            "owner.id": "known from the account",
            "hasReplies": "changes without an edit",
            "mediaProductType": "always THREADS",
            "rootPost.*": "the thread's first post",
            "isReplyOwnedByMe": "about the account that asks",
            "hideStatus": "about moderation",
        },
    )

    def kind(self, record: Mapping[str, Any]) -> Kind:
        """By what it refers to, else by what it says of itself."""
        if relations := self.relations(record):
            return _KINDS[relations[0].kind]
        if word_of(record.get("mediaType")) == "repost_facade":
            return "repost"
        if flag_of(record.get("isReply")):
            return "reply"
        return "quote" if flag_of(record.get("isQuotePost")) else "post"

    def aliases(self, record: Mapping[str, Any]) -> tuple[Alias, ...]:
        """And the short code in the post's URL; that of a repost may be the other post's."""
        if self.kind(record) == "repost":
            return self.reader.aliases(record)
        return self.with_alias_in_url(record, "shortcode", _SHORTCODE)

    def relations(self, record: Mapping[str, Any]) -> tuple[Relation, ...]:
        """What it reposts, answers and quotes, given as an id or as an object."""
        found = []
        for kind, keys in _REFERENCES:
            value = next((record[key] for key in keys if record.get(key) is not None), None)
            other = object_of(value)
            platform_id = id_of(other.get("id") if other else value)
            url = first(other, ("permalink", "url"), url_of)
            if platform_id or url:
                found.append(Relation(kind, platform_id, url))
        return tuple(found)

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """A carousel's children in order, or one thing; a text has none."""
        if children := children_of(record):
            return [read_media(child, "not_offered") for child in children]
        word = word_of(record.get("mediaType"))
        file = rendition_of("original", record.get("mediaUrl"), record.get("thumbnailUrl"))
        if file or any(part in word for part in _MEDIA_WORDS):
            return [read_media(record, "not_offered")]
        if rendition_of("original", gif := record.get("gifUrl")):
            return [read_media({**record, "mediaUrl": gif, "mediaType": "gif"}, "not_offered")]
        return []


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """Threads, through Ayrshare."""
    return [Threads()]
