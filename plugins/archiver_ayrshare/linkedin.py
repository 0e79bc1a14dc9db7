"""LinkedIn: shares of pages and people. Personal accounts have fewer numbers.

Media is listed as `{id, url}`; the id is a URN that says what it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from archiver import Alias, Attachment, Kind, Platform, Relation, Rendition, hookimpl
from archiver_ayrshare.addresses import path_of
from archiver_ayrshare.fields import AUTHOR, Fields
from archiver_ayrshare.forms import ID, ORIGINAL, Slot
from archiver_ayrshare.media import (
    ITEM,
    address_of,
    distinct,
    items_of,
    kind_of_word,
    original,
    prefixed,
    read_item,
)
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import first, id_of, object_of, text_of, word_of

_REACTIONS = ("like", "praise", "maybe", "empathy", "interest", "appreciation", "entertainment")
_NAMES = {"activity": "activity", "ugc_post": "ugcPost", "share": "share"}
_SCHEMES = {name.lower(): scheme for scheme, name in _NAMES.items()}
_DIGITS = re.compile(r"\d{1,30}", re.ASCII)
_URN = re.compile(  # `urn:li:activity:7…`, and `…-activity-7…-Ab_c` as in the URLs of posts
    r"(?:\burn:li:(?=\w+:)|-(?=\w+-))(activity|ugcPost|share)[:-](\d{1,30})(?!\d)",
    re.ASCII | re.IGNORECASE,
)
_SHARED = ("parentId", "parent", "resharedPost", "resharedShare")


class LinkedIn(AyrsharePlatform):
    """LinkedIn."""

    name = "linkedin"
    fields = Fields(
        visibility=("visibility",),
        author=(*AUTHOR, "author", "owner"),
        aliases={"activity": "activity", "ugcPost": "ugc_post", "share": "share"},
        relations=dict.fromkeys(_SHARED, Slot("shares", ID)),
        metrics={
            **{f"reactions.{name}": f"reactions.{name}" for name in _REACTIONS},
            "reactions.total": "reactions",
            "uniqueImpressionsCount": "reach",
            "totalFirstLevelComments": "first_level_comments",
        },
        attachments={
            **prefixed(
                "mediaUrls[].", {**ITEM, "id": Slot("platform_id; its URN says the kind", ID)}
            ),
            "mediaUrls[]": ORIGINAL,
            "mediaUrl": ORIGINAL,
        },
        content={"link": "link", "article.source": "link", "mediaUrls[].title": "media_titles"},
        raw_only={
            "comments[]": "ids of comments by others",
            "likeBy[]": "other people",
            "likedByCurrentUser": "about the account that asks",
            "commentsState": "whether comments are open; changes without an edit",
            "lifecycleState": "the state of the publication",
        },
    )

    def kind(self, record: Mapping[str, Any]) -> Kind:
        """A share of another's share is a repost only where nothing was said about it."""
        if self.relations(record) and self.reader.text(record) is None:
            return "repost"
        return "post"

    def aliases(self, record: Mapping[str, Any]) -> tuple[Alias, ...]:
        """Every URN of the post, by kind: its id, its activity, and what its URL names."""
        places: list[tuple[str | None, object]] = [
            (None, record.get("id")),
            (None, self.reader.url(record)),
        ]
        places += [(scheme, record.get(path)) for path, scheme in self.fields.aliases.items()]
        found = (alias for scheme, value in places for alias in _urns(value, scheme))
        return tuple(dict.fromkeys(found))

    def relations(self, record: Mapping[str, Any]) -> tuple[Relation, ...]:
        """The share that was shared."""
        shared = first(record, _SHARED, id_of)
        return (Relation("shares", shared),) if shared else ()

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """Images, videos and documents in order."""
        items = items_of(record.get("mediaUrls")) or items_of(record.get("mediaUrl"))
        return [found for item in items if (found := _attachment(item))]


def _urns(value: object, scheme: str | None) -> list[Alias]:
    """The URNs in an id or an address; a bare number becomes a URN of the field's type."""
    text = id_of(value)
    if text is None:
        return []
    if scheme is not None and _DIGITS.fullmatch(text):
        return [Alias(scheme, f"urn:li:{_NAMES[scheme]}:{text}")]
    return [
        Alias(_SCHEMES[match[1].lower()], f"urn:li:{_NAMES[_SCHEMES[match[1].lower()]]}:{match[2]}")
        for match in _URN.finditer(unquote(text))
    ]


def _attachment(item: object) -> Attachment | None:
    """One of `urn:li:image:…`, `urn:li:video:…`, `urn:li:document:…` (and older kinds)."""
    urn = text_of(object_of(item).get("id")) or ""
    kind = kind_of_word(word_of(urn.removeprefix("urn:li:").partition(":")[0]))
    found = read_item(item, kind)
    if found is None or (kind is None and not urn.startswith("urn:")):
        return found
    if kind == "video":
        return replace(found, renditions=_video_files(found.renditions))
    return replace(found, kind=kind or "other")


def _video_files(files: Sequence[Rendition]) -> tuple[Rendition, ...]:
    """A video's files: LinkedIn serves pictures below `/dms/image/`, so one there is its still."""
    main = files[0]
    url = address_of(main)
    if url is None or not path_of(url).startswith("/dms/image/"):
        return tuple(files)
    return distinct((original(), replace(main, role="thumbnail"), *files[1:]))


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """LinkedIn, through Ayrshare."""
    return [LinkedIn()]
