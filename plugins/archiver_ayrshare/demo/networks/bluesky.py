"""Bluesky: at-URIs for ids; media as the `embed` views of the AT protocol, or flattened."""

from datetime import datetime, timedelta

from archiver import Kind
from archiver_ayrshare.demo.ids import base32, number, sortable
from archiver_ayrshare.demo.networks.base import (
    AccountSeed,
    JsonObject,
    Network,
    View,
    drop_none,
    iso_ms,
    pixels,
    poster,
    still,
    url_of,
)
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost
from archiver_ayrshare.demo.recipes import VIDEO_PIXELS, Playlist, SegmentedVideo, SegmentList


def _post_id(account: AccountSeed, n: int, at: datetime, _kind: Kind) -> str:
    key = sortable(10, int(at.timestamp() * 1000) % 32**10) + sortable(3, n % 32**3)
    return f"at://{account.platform_id}/app.bsky.feed.post/{key}"


def _files(media: WorldMedia) -> list[WorldFile]:
    home = f"{media.post.account.platform_id}/{media.id}"
    small = WorldFile("thumbnail", f"/img/feed_thumbnail/plain/{home}@jpeg", poster(media))
    match media.spec.kind:
        case "photo":
            path = f"/img/feed_fullsize/plain/{home}@jpeg"
            return [WorldFile("original", path, still(media)), small]
        case "video":
            path = f"/watch/{home}/360p/video"
            video = SegmentedVideo(media.label)
            playlist = Playlist(((f"{path}.m3u8", "medium", 120_000),))
            return [
                WorldFile("variant", f"{path}.mp4", video),
                WorldFile("variant", f"{path}.m3u8", SegmentList(f"{path}.mp4", video)),
                WorldFile("original", f"/watch/{home}/playlist.m3u8", playlist),
                WorldFile("thumbnail", f"/watch/{home}/thumbnail.jpg", poster(media)),
            ]
        case _:
            return [small] if media.spec.picture else []


def _record(post: WorldPost, view: View) -> JsonObject:
    counters = post.counters
    key = post.id.rpartition("/")[2]
    record: JsonObject = {
        "cid": _cid(post.tag, post.text),
        "created": iso_ms(post.at),
        "id": post.id,
        "indexedAt": iso_ms(post.at + timedelta(milliseconds=205)),
        "labels": [],
        "likeCount": counters["likes"],
        "post": post.text,
        "postUrl": f"https://bsky.app/profile/{post.account.handle}/post/{key}",
        "quoteCount": counters["quotes"],
        "replyCount": counters["comments"],
        "repostCount": counters["reposts"],
        "viewer": {"threadMuted": False, "embeddingDisabled": False},
    }
    if parent := post.extra.get("reply_to"):
        strong = {"uri": parent, "cid": _cid(parent)}
        record["reply"] = {"parent": strong, "root": strong}
    if post.older_form and post.media:
        record["mediaUrls"] = [_flat(media, view) for media in post.media]
    elif embed := _embed(post, view):
        record["embed"] = embed
    return record


def _embed(post: WorldPost, view: View) -> JsonObject | None:
    quoted = post.extra.get("quotes")
    attached = _embedded_media(post, view)
    if not quoted:
        return attached
    said = {
        "$type": "app.bsky.embed.record#view",
        "record": {
            "$type": "app.bsky.embed.record#viewRecord",
            "uri": quoted,
            "cid": _cid(quoted),
        },
    }
    if attached is None:
        return said
    return {"$type": "app.bsky.embed.recordWithMedia#view", "record": said, "media": attached}


def _embedded_media(post: WorldPost, view: View) -> JsonObject | None:
    if not post.media:
        return None
    first = post.media[0]
    match first.spec.kind:
        case "photo":
            images = [_image(media, view) for media in post.media]
            return {"$type": "app.bsky.embed.images#view", "images": images}
        case "video":
            width, height = VIDEO_PIXELS["medium"]
            return drop_none(
                {
                    "$type": "app.bsky.embed.video#view",
                    "cid": first.id,
                    "playlist": url_of(first, view, "original"),
                    "thumbnail": url_of(first, view, "thumbnail"),
                    "alt": first.spec.alt,
                    "aspectRatio": {"width": width, "height": height},
                }
            )
        case _:
            return {
                "$type": "app.bsky.embed.external#view",
                "external": drop_none(
                    {
                        "uri": first.spec.url,
                        "title": first.spec.title,
                        "description": "",
                        "thumb": url_of(first, view, "thumbnail"),
                    }
                ),
            }


def _image(media: WorldMedia, view: View) -> JsonObject:
    width, height = pixels(media)
    return {
        "thumb": url_of(media, view, "thumbnail"),
        "fullsize": url_of(media, view, "original"),
        "alt": media.spec.alt or "",
        "aspectRatio": {"width": width, "height": height},
    }


def _flat(media: WorldMedia, view: View) -> JsonObject:
    if media.spec.kind == "link":
        thumb = url_of(media, view, "thumbnail")
        return drop_none({"mediaType": "link", "url": media.spec.url, "thumbnailUrl": thumb})
    is_video = media.spec.kind == "video"
    return drop_none(
        {
            "mediaType": "video" if is_video else "image",
            "mediaUrl": url_of(media, view, "variant" if is_video else "original"),
            "thumbnailUrl": url_of(media, view, "thumbnail"),
            "altText": media.spec.alt,
        }
    )


def _cid(*parts: str) -> str:
    return "bafyrei" + base32(51, *parts) + "a"


NETWORK = Network(
    name="bluesky",
    kinds=("post", "reply", "quote"),
    media=frozenset({"photo", "video", "link"}),
    max_media=4,
    scheme="plain",
    account_id=lambda tag: "did:plc:" + base32(24, "did", tag),
    profile_url=lambda handle: f"https://bsky.app/profile/{handle}",
    post_id=_post_id,
    media_id=lambda media: f"bafkrei{base32(47, media.tag)}{number(10, media.tag)}",
    files=_files,
    record=_record,
    extra=frozenset({"reply_to", "quotes"}),
)
