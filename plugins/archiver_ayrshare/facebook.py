"""Facebook pages: posts, shares, links, reels and stories.

`mediaUrls[]` nests its files: `media.image.src` is a photo, or the still of a video whose file is
`media.source`. One documented example writes `mediaUrl: "link"` where `mediaType` is meant.
`fullPicture` is a still of the whole post.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from archiver import Attachment, AttachmentKind, Kind, Platform, Relation, Stream, hookimpl
from archiver_ayrshare.fields import AUTHOR, Fields
from archiver_ayrshare.media import (
    distinct,
    items_of,
    kind_of_word,
    original,
    read_item,
    still,
    with_still,
)
from archiver_ayrshare.options import FacebookOptions, ProfileOptions
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import (
    clock_milliseconds,
    content_of,
    dig,
    first,
    id_of,
    list_of,
    object_of,
    size_of,
    text_of,
    url_of,
    word_of,
)

_LINK_WORDS = ("link", "share", "event", "map", "note")
_ALBUM_WORDS = ("album", "cover", "profile")


class Facebook(AyrsharePlatform):
    """Facebook."""

    name = "facebook"
    options: type[ProfileOptions] = FacebookOptions
    streams: Sequence[Stream] = ("posts", "stories")
    fields = Fields(
        author=("from.name", *AUTHOR),
        aliases={"postId": "post_id", "mediaId": "media_id"},
        kind=("mediaUrls[].type", "type"),
        relations={"parentId": "shares"},
        metrics={
            **{
                f"reactions.{name}": f"reactions.{name}"
                for name in ("like", "love", "care", "anger", "haha", "wow", "sorry", "thankful")
            },
            "reactions.total": "reactions",
            "reactionsByType": "reactions_by_type",
            "clicksUnique": "clicks_unique",
            "engagedUsers": "engaged_users",
            "negativeFeedback": "negative_feedback",
            "negativeFeedbackUnique": "negative_feedback_unique",
            "impressionsUnique": "reach",
            "impressionsFanUnique": "fan.reach",
            "impressionsFanPaidUnique": "fan_paid.reach",
            "impressionsOrganicUnique": "organic.reach",
            "impressionsPaidUnique": "paid.reach",
            "impressionsFan": "fan.impressions",
            "impressionsFanPaid": "fan_paid.impressions",
            "impressionsOrganic": "organic.impressions",
            "impressionsPaid": "paid.impressions",
            "mediaView": "media_views",
            "mediaViewIsFromAds": "paid.media_views",
            "totalMediaViewUnique": "media_views_unique",
            "videoViewsUnique": "views_unique",
            "videoViewTime": "view_time",
        },
        attachments={
            "mediaUrls[].media.image.src": "photo: original; video: thumbnail; link: preview",
            "mediaUrls[].media.image.width": "width",
            "mediaUrls[].media.image.height": "height",
            "mediaUrls[].media.source": "video: original",
            "mediaUrls[].mediaType": "kind",
            "mediaUrls[].mediaUrl": "kind where it is a word, original where it is a URL",
            "mediaUrls[].thumbnailUrl": "thumbnail",
            "mediaUrls[].videoId": "platform_id",
            "mediaUrls[].mediaId": "platform_id",
            "mediaUrls[].id": "platform_id",
            "mediaUrls[].altText": "alt_text",
            "mediaUrls[]": "original: url",
            "mediaUrl": "original: url",
            "thumbnailUrl": "thumbnail",
            "mediaId": "story: platform_id",
            "mediaType": "kind where the item does not say it",
            "fullPicture": "preview, with the first attachment",
            "properties[].name": "which property it is: Length",
            "properties[].text": "Length: duration_ms of the first video",
        },
        content={"mediaUrls[].url": "links", "link": "link", "place.name": "place"},
        raw_only={
            "likedBy.*": "other people",
            "from.id": "the author's id; the handle is kept",
            "statusType": "how the post was made: added_photos, shared_story …",
            "story": "a sentence by Facebook about the post",
            "place.*": "only its name is kept",
            "icon": "decoration",
        },
    )

    def kind(self, record: Mapping[str, Any]) -> Kind:
        """Stories say so in their media; reels only in their URL."""
        url = self.reader.url(record) or ""
        words = [word_of(object_of(item).get("type")) for item in list_of(record.get("mediaUrls"))]
        words.append(word_of(record.get("type")))
        if "story" in words or "facebook.com/stories/" in url:
            return "story"
        return "reel" if "reel" in words or "/reel/" in url else "post"

    def relations(self, record: Mapping[str, Any]) -> tuple[Relation, ...]:
        """The post that was shared."""
        parent = id_of(record.get("parentId"))
        return (Relation("shares", parent),) if parent else ()

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """Photos, videos and links in order; `fullPicture` with the first of them."""
        items = items_of(record.get("mediaUrls"))
        found = [_attachment(item, record, alone=len(items) == 1) for item in items]
        if not found and (url := url_of(record.get("mediaUrl"))):
            word = kind_of_word(word_of(record.get("mediaType")))
            only = read_item({"mediaUrl": url, "thumbnailUrl": record.get("thumbnailUrl")}, word)
            found = [only] if only else []
        found = _with_length(found, record.get("properties"))
        return with_still(found, still("preview", record.get("fullPicture")))

    def content(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """As everywhere, but of the items' pages only where links lead was published."""
        content = super().content(record)
        if content.pop("links", None):
            links = [
                content_of(item.get("url"))
                for item in list_of(record.get("mediaUrls"))
                if isinstance(item, dict) and _kind(item, record) == "link"
            ]
            content |= {"links": kept} if (kept := [link for link in links if link]) else {}
        return content


def _kind(item: Mapping[str, Any], record: Mapping[str, Any]) -> AttachmentKind:
    """What an item is, by its word, else by its files."""
    word = word_of(item.get("mediaType")) or word_of(item.get("mediaUrl"))
    if word.startswith("http"):
        word = ""
    if url_of(dig(item, ("media", "source"))) or "video" in word:
        return "video"
    if any(part in word for part in _LINK_WORDS):
        return "link"
    if any(part in word for part in _ALBUM_WORDS):
        return "image"
    picture = url_of(dig(item, ("media", "image", "src")))
    fallback: AttachmentKind = "image" if picture or url_of(item.get("mediaUrl")) else "other"
    return kind_of_word(word) or kind_of_word(word_of(record.get("mediaType"))) or fallback


def _attachment(item: object, record: Mapping[str, Any], *, alone: bool) -> Attachment:
    if isinstance(item, str):
        return read_item(item) or Attachment("other")
    fields = object_of(item)
    kind = _kind(fields, record)
    image = object_of(dig(fields, ("media", "image")))
    width, height = size_of(image.get("width")), size_of(image.get("height"))
    given = url_of(fields.get("mediaUrl"))
    platform_id = first(fields, ("videoId", "mediaId", "id"), id_of)
    if platform_id is None and alone:
        platform_id = id_of(record.get("mediaId"))
    attachment = Attachment(kind, platform_id, alt_text=text_of(fields.get("altText")))
    thumbnail = still("thumbnail", fields.get("thumbnailUrl"))
    if kind == "link":  # known by where it leads: its picture may be made anew
        picture = still("preview", image.get("src"), width=width, height=height)
        target = platform_id or id_of(content_of(fields.get("url")))
        return replace(attachment, platform_id=target, renditions=distinct((picture, thumbnail)))
    if kind == "video":
        source = original(url_of(dig(fields, ("media", "source"))) or given)
        picture = still("thumbnail", image.get("src"), width=width, height=height)
        return replace(attachment, renditions=distinct((source, picture, thumbnail)))
    main = replace(original(url_of(image.get("src")) or given), width=width, height=height)
    return replace(attachment, width=width, height=height, renditions=distinct((main, thumbnail)))


def _with_length(found: list[Attachment], properties: object) -> list[Attachment]:
    """The attachments, the first video with the length that the post tells of."""
    lengths = (
        clock_milliseconds(entry.get("text"))
        for entry in list_of(properties)
        if isinstance(entry, dict) and entry.get("name") == "Length"
    )
    length = next((ms for ms in lengths if ms), None)
    for index, attachment in enumerate(found):
        if attachment.kind == "video" and length:
            return [*found[:index], replace(attachment, duration_ms=length), *found[index + 1 :]]
    return found


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """Facebook, through Ayrshare."""
    return [Facebook()]
