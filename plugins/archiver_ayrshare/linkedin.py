"""LinkedIn: shares of pages and people. Personal accounts have fewer numbers.

Media is listed as `{id, url}`; the id is a URN that says what it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from archiver import Attachment, Kind, Platform, Relation, Rendition, hookimpl
from archiver_ayrshare.fields import AUTHOR, Fields
from archiver_ayrshare.media import (
    ITEM,
    distinct,
    items_of,
    kind_of_word,
    original,
    path_of,
    read_item,
    under,
)
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import first, id_of, object_of, text_of, word_of

_REACTIONS = ("like", "praise", "maybe", "empathy", "interest", "appreciation", "entertainment")
_SHARED = ("parentId", "parent", "resharedPost", "resharedShare")


class LinkedIn(AyrsharePlatform):
    """LinkedIn."""

    name = "linkedin"
    fields = Fields(
        visibility=("visibility",),
        author=(*AUTHOR, "author", "owner"),
        aliases={"activity": "activity", "ugcPost": "ugc_post", "share": "share"},
        relations=dict.fromkeys(_SHARED, "shares"),
        metrics={
            **{f"reactions.{name}": f"reactions.{name}" for name in _REACTIONS},
            "reactions.total": "reactions",
            "uniqueImpressionsCount": "reach",
            "totalFirstLevelComments": "first_level_comments",
        },
        attachments={
            **under("mediaUrls[].", {**ITEM, "id": "platform_id; its URN says the kind"}),
            "mediaUrls[]": "original: url",
            "mediaUrl": "original: url",
        },
        content={"link": "link", "article.source": "link", "mediaUrls[].title": "media_titles"},
        raw_only={
            "comments[]": "ids of comments by others",
            "likeBy[]": "other people",
            "likedByCurrentUser": "about who asks",
            "commentsState": "whether comments are open; changes without an edit",
            "lifecycleState": "the state of the publication",
        },
    )

    def kind(self, record: Mapping[str, Any]) -> Kind:
        """A share of another's share is a repost only where nothing was said about it."""
        if self.relations(record) and self.reader.text(record) is None:
            return "repost"
        return "post"

    def relations(self, record: Mapping[str, Any]) -> tuple[Relation, ...]:
        """The share that was shared."""
        shared = first(record, _SHARED, id_of)
        return (Relation("shares", shared),) if shared else ()

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """Images, videos and documents in order."""
        items = items_of(record.get("mediaUrls")) or items_of([record.get("mediaUrl")])
        return [found for item in items if (found := _attachment(item))]


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
    if main.url is None or not path_of(main.url).startswith("/dms/image/"):
        return tuple(files)
    return distinct((original(None), replace(main, role="thumbnail"), *files[1:]))


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """LinkedIn, through Ayrshare."""
    return [LinkedIn()]
