"""Bluesky. The documented example has text only.

Images, videos, links and quotes are read as the AT protocol's views write them (`embed`,
`reply`; lexicon app.bsky.embed.*), and as the flat lists that this API has on other platforms.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from archiver import Attachment, Kind, Platform, Relation, hookimpl
from archiver_ayrshare.addresses import is_gif, url_of
from archiver_ayrshare.fields import AUTHOR, CREATED, Fields
from archiver_ayrshare.forms import ADDRESS, ID, ORIGINAL, PREVIEW, Slot
from archiver_ayrshare.media import (
    ITEM,
    STILL_KEYS,
    add_still,
    distinct,
    original,
    prefixed,
    read_item,
    read_items,
    rendition_of,
)
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.values import content_of, dig, id_of, list_of, object_of

_VIEWS = ("embed", "embed.media")
_RAW_RECORDS = ("embed.$type", "embed.media.$type", "embed.images[].image.*", "embed.video.*")


class Bluesky(AyrsharePlatform):
    """Bluesky."""

    name = "bluesky"
    fields = Fields(
        created_at=(*CREATED, "record.createdAt", "indexedAt"),
        text=("post", "text", "record.text"),
        url=("postUrl", "url", "permalink"),
        author=AUTHOR,
        aliases={"cid": "cid", "uri": "at_uri"},
        relations={
            "reply.parent.uri": Slot("reply_to", ID),
            "embed.record.uri": Slot("quotes", ID),
            "embed.record.record.uri": Slot("quotes", ID),
        },
        attachments={
            **{
                path: slot
                for view in _VIEWS
                for path, slot in {
                    **prefixed(f"{view}.images[].", ITEM),
                    **prefixed(
                        f"{view}.", {key: slot for key, slot in ITEM.items() if key != "id"}
                    ),
                    f"{view}.external.uri": Slot("gif: original, where it is one", ADDRESS),
                    f"{view}.external.thumb": Slot("link: preview; gif: thumbnail", ADDRESS),
                }.items()
            },
            **prefixed("mediaUrls[].", ITEM),
            **prefixed("images[].", ITEM),
            **prefixed("videos[].", ITEM),
            "mediaUrls[]": ORIGINAL,
            "mediaUrl": ORIGINAL,
            "thumbnailUrl": PREVIEW,
        },
        content={
            "embed.external.uri": "link",
            "embed.media.external.uri": "link",
            "langs[]": "languages",
            "tags[]": "tags",
        },
        raw_only={
            "indexedAt": "when Bluesky saw it; created_at where that is missing",
            "labels.*": "set by moderators",
            "viewer.*": "about the account that asks",
            "threadgate.*": "who may reply, with moderators' lists",
            "facets.*": "where links and mentions stand in the text",
            "record.*": "the post once more, as its author's server has it",
            "author.*": "known from the account",
            "reply.parent.cid": "the version that was answered",
            "reply.root.uri": "the thread's first post",
            "reply.root.cid": "the version of the thread's first post",
            "reply.grandparentAuthor.*": "about other people",
            "embed.external.title": "the linked page's own",
            "embed.external.description": "the linked page's own",
            "embed.media.external.title": "the linked page's own",
            "embed.media.external.description": "the linked page's own",
            "embed.record.*": "somebody else's post",
            **dict.fromkeys(_RAW_RECORDS, "how Bluesky stores it"),
        },
    )

    def kind(self, record: Mapping[str, Any]) -> Kind:
        """A reply before a quote: a reply may quote."""
        kinds = {relation.kind for relation in self.relations(record)}
        return "reply" if "reply_to" in kinds else "quote" if "quotes" in kinds else "post"

    def author(self, record: Mapping[str, Any], url: str | None) -> str | None:
        """The handle, from `bsky.app/profile/<handle>/post/…` where nothing else says it."""
        parts = url.split("/") if url else []
        in_url = parts[4] if len(parts) > 4 and parts[3] == "profile" else None
        return self.reader.author(record) or in_url

    def relations(self, record: Mapping[str, Any]) -> tuple[Relation, ...]:
        """The post answered, and the post quoted."""
        found = []
        if parent := id_of(dig(record, ("reply", "parent", "uri"))):
            found.append(Relation("reply_to", parent))
        quoted = dig(record, ("embed", "record"))
        uri = id_of(dig(object_of(quoted), ("record", "uri"))) or id_of(
            object_of(quoted).get("uri")
        )
        if uri and "/app.bsky.feed.post/" in uri:
            found.append(Relation("quotes", uri))
        return tuple(found)

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """Images, a video or a link, of the post or beside the post that it quotes."""
        embed = object_of(record.get("embed"))
        found = [
            attachment
            for view in (embed, object_of(embed.get("media")))
            for attachment in _embedded(view)
        ]
        for key in ("mediaUrls", "images", "videos"):
            found = found or read_items(record.get(key))
        if not found and (only := read_item(record.get("mediaUrl"))):
            found = [only]
        return add_still(found, rendition_of("preview", record.get("thumbnailUrl")))


def _embedded(view: Mapping[str, Any]) -> list[Attachment]:
    """What one embed shows: lexicons app.bsky.embed.images, video and external."""
    images = [read_item(image, "image") for image in list_of(view.get("images"))]
    found = [image for image in images if image and image.renditions]
    keys = ("playlist", "mediaUrl", "videoUrl", *STILL_KEYS)
    if rendition_of("original", *[view.get(key) for key in keys]):
        video = read_item({key: value for key, value in view.items() if key != "id"}, "video")
        found += [video] if video else []
    external = view.get("external")
    return [*found, _external(external)] if isinstance(external, dict) else found


def _external(external: Mapping[str, Any]) -> Attachment:
    """A link with its picture; a GIF, which Bluesky shows in place of its link, is a GIF."""
    target = id_of(content_of(external.get("uri")))
    address = url_of(external.get("uri"))
    if address and is_gif(address):
        picture = rendition_of("thumbnail", external.get("thumb"))
        return Attachment("gif", target, renditions=distinct((original(address), picture)))
    picture = rendition_of("preview", external.get("thumb"))
    return Attachment("link", target, renditions=(picture,) if picture else ())


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """Bluesky, through Ayrshare."""
    return [Bluesky()]
