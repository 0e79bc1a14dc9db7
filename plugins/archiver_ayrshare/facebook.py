"""Facebook pages: posts, shares, links, reels and stories.

`mediaUrls[]` nests its files: `media.image.src` is a photo, or the still of a video whose file is
`media.source`. One documented example writes `mediaUrl: "link"` where `mediaType` is meant.
`fullPicture` is a still of the whole post.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from archiver import Alias, Attachment, AttachmentKind, Kind, Platform, Relation, Stream, hookimpl
from archiver_ayrshare.addresses import host_of, is_player, url_of
from archiver_ayrshare.fields import AUTHOR, Fields
from archiver_ayrshare.forms import (
    ADDRESS,
    ALT_TEXT,
    ANY,
    FILE,
    HEIGHT,
    ID,
    KIND,
    ORIGINAL,
    PLATFORM_ID,
    THUMBNAIL,
    WIDTH,
    WORD,
    Form,
    Slot,
)
from archiver_ayrshare.media import (
    add_still,
    distinct,
    items_of,
    kind_of_url,
    kind_of_word,
    original,
    read_item,
    rendition_of,
)
from archiver_ayrshare.numbers import clock_milliseconds, milliseconds, size_of
from archiver_ayrshare.options import FacebookOptions, ProfileOptions
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import (
    content_of,
    dig,
    first,
    id_of,
    list_of,
    object_of,
    text_of,
    word_of,
)

_LINK_WORDS = ("link", "share", "event", "map", "note")
_ALBUM_WORDS = ("album", "cover", "profile")
_OWN_FILES = re.compile(r"(?:[\w-]+\.)*fbcdn\.net", re.ASCII)
_OWN_PAGES = re.compile(r"(?:[\w-]+\.)*(?:facebook\.com|fb\.watch|fb\.com|fb\.me)", re.ASCII)
_WORD = re.compile(r"[A-Za-z_]{3,40}", re.ASCII)
_PAGE_AND_POST = re.compile(r"\d+_(\d+)", re.ASCII)


class Facebook(AyrsharePlatform):
    """Facebook."""

    name = "facebook"
    options: type[ProfileOptions] = FacebookOptions
    streams: Sequence[Stream] = ("posts", "stories")
    fields = Fields(
        author=("from.name", *AUTHOR),
        aliases={"postId": "post_id", "mediaId": "media_id"},
        kind=("mediaUrls[].type", "type"),
        relations={"parentId": Slot("shares", ID)},
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
            "mediaUrls[].media.image.src": Slot(
                "photo: original; video: thumbnail; link: preview", FILE
            ),
            "mediaUrls[].media.image.width": WIDTH,
            "mediaUrls[].media.image.height": HEIGHT,
            "mediaUrls[].media.source": Slot("video: original; of a link, never fetched", FILE),
            "mediaUrls[].mediaType": KIND,
            "mediaUrls[].mediaUrl": Slot(
                "kind where it is a word, else original: url",
                Form("word or address", lambda value: _is_word(value) or url_of(value)),
            ),
            "mediaUrls[].thumbnailUrl": THUMBNAIL,
            "mediaUrls[].videoId": PLATFORM_ID,
            "mediaUrls[].mediaId": PLATFORM_ID,
            "mediaUrls[].id": PLATFORM_ID,
            "mediaUrls[].altText": ALT_TEXT,
            "mediaUrls[]": ORIGINAL,
            "mediaUrl": ORIGINAL,
            "thumbnailUrl": THUMBNAIL,
            "mediaId": Slot("story: platform_id", ID),
            "mediaType": Slot("kind where the item does not say it", WORD),
            "fullPicture": Slot("preview, with the first attachment", ADDRESS),
            "properties[].name": Slot("which property it is: Length", ANY),
            "properties[].text": Slot("Length: duration_ms of the first video", ANY),
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

    def aliases(self, record: Mapping[str, Any]) -> tuple[Alias, ...]:
        """The number of the post without that of the page: `66` of `55_66`. It may be the id, too.

        A story also has the id of its media as an alias; another post may have the same.
        """
        found: list[Alias] = []
        for value in map(id_of, (record.get("id"), record.get("postId"))):
            if value is not None:
                match = _PAGE_AND_POST.fullmatch(value)
                found.append(Alias("post_id", match[1] if match else value))
        medium = id_of(record.get("mediaId"))
        if medium is not None and self.kind(record) == "story":
            found.append(Alias("media_id", medium))
        return tuple(dict.fromkeys(found))

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """Photos, videos and links in order; `fullPicture` with the first of them."""
        items = items_of(record.get("mediaUrls"))
        found = [_attachment(item, record, alone=len(items) == 1) for item in items]
        if not found and rendition_of("original", url := record.get("mediaUrl")):
            word = kind_of_word(word_of(record.get("mediaType")))
            only = read_item({"mediaUrl": url, "thumbnailUrl": record.get("thumbnailUrl")}, word)
            found = [only] if only else []
        found = _with_length(found, record.get("properties"))
        return add_still(found, rendition_of("preview", record.get("fullPicture")))

    def content(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """As on every platform; of the `url` of the items, only those of links are content."""
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
    """The kind of an item: by its `mediaType`, else by its files."""
    word = word_of(item.get("mediaType"))
    if not word and _is_word(item.get("mediaUrl")):
        word = word_of(item.get("mediaUrl"))
    if _is_link(item, word):
        return "link"
    if rendition_of("original", dig(item, ("media", "source"))) or "video" in word:
        return "video"
    if any(part in word for part in _ALBUM_WORDS):
        return "image"
    picture = rendition_of("original", dig(item, ("media", "image", "src")), _file_in(item))
    fallback: AttachmentKind = "image" if picture else "other"
    return kind_of_word(word) or kind_of_word(word_of(record.get("mediaType"))) or fallback


def _is_word(value: object) -> bool | None:
    """Whether `mediaUrl` has a value of `mediaType`, as in a documented example."""
    return (isinstance(value, str) and bool(_WORD.fullmatch(value.strip()))) or None


def _file_in(item: Mapping[str, Any]) -> object:
    """The `mediaUrl` of an item, where it is not a value of `mediaType`."""
    return None if _is_word(item.get("mediaUrl")) else item.get("mediaUrl")


def _is_link(item: Mapping[str, Any], word: str) -> bool:
    """Whether an item is a link: `media.source` is then a web page with a player, if anything."""
    source = url_of(dig(item, ("media", "source")))
    if "link" in word:
        return True
    if source is None:
        return any(part in word for part in _LINK_WORDS)
    if _OWN_FILES.fullmatch(host_of(source)):
        return False
    if is_player(source):
        return True
    target = url_of(item.get("url"))
    leads_away = target is not None and not _OWN_PAGES.fullmatch(host_of(target))
    return kind_of_url(source) != "video" and leads_away


def _attachment(item: object, record: Mapping[str, Any], *, alone: bool) -> Attachment:
    if not isinstance(item, dict):
        return read_item(item) or Attachment("other")
    fields: Mapping[str, Any] = item
    kind = _kind(fields, record)
    image = object_of(dig(fields, ("media", "image")))
    width, height = size_of(image.get("width")), size_of(image.get("height"))
    given = _file_in(fields)
    platform_id = first(fields, ("videoId", "mediaId", "id"), id_of)
    if platform_id is None and alone:
        platform_id = id_of(record.get("mediaId"))
    attachment = Attachment(kind, platform_id, alt_text=text_of(fields.get("altText")))
    thumbnail = rendition_of("thumbnail", fields.get("thumbnailUrl"))
    if kind == "link":  # identified by its target, since its picture may change
        picture = rendition_of("preview", image.get("src"), width=width, height=height)
        target = platform_id or id_of(content_of(fields.get("url")))
        return replace(attachment, platform_id=target, renditions=distinct((picture, thumbnail)))
    if kind == "video":
        source = original(dig(fields, ("media", "source")), given)
        picture = rendition_of("thumbnail", image.get("src"), width=width, height=height)
        return replace(attachment, renditions=distinct((source, picture, thumbnail)))
    main = original(image.get("src"), given, width=width, height=height)
    return replace(attachment, width=width, height=height, renditions=distinct((main, thumbnail)))


def _with_length(found: list[Attachment], properties: object) -> list[Attachment]:
    """The attachments, the first video with the duration that the post gives."""
    lengths = (
        clock_milliseconds(entry.get("text")) or milliseconds(entry.get("text"), 1000)
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
