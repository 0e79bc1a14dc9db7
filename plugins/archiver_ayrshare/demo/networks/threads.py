"""Threads, in two spellings: Meta's own (`text`, `timestamp`, `permalink`) and the API's."""

from datetime import datetime

from archiver import Kind
from archiver_ayrshare.demo.ids import digits, letters
from archiver_ayrshare.demo.networks.base import (
    AccountSeed,
    JsonObject,
    Network,
    View,
    drop_none,
    iso,
    poster,
    still,
    url_of,
    video_file,
)
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost

_TYPES = {"photo": "IMAGE", "video": "VIDEO"}


def _post_id(account: AccountSeed, n: int, _at: datetime, _kind: Kind) -> str:
    return f"180{n:06d}{digits(8, account.tag, n)}"


def _files(media: WorldMedia) -> list[WorldFile]:
    name = f"{digits(9, media.tag)}_{media.id}"
    if media.spec.kind == "photo":
        return [WorldFile("original", f"/v/t51.82787-15/{name}_n.jpg", still(media))]
    return [
        WorldFile("original", f"/o1/v/t2/f2/m85/{name}.mp4", video_file(media, "medium")),
        WorldFile("thumbnail", f"/v/t51.71878-15/{name}_n.jpg", poster(media)),
    ]


def _record(post: WorldPost, view: View) -> JsonObject:
    code = letters(11, "shortcode", post.tag)
    page = f"https://www.threads.net/@{post.account.handle}/post/{code}"
    counters = post.counters
    record: JsonObject = {
        "id": post.id,
        "shortcode": code,
        "username": post.account.handle,
        "owner": {"id": post.account.platform_id},
        "mediaType": _media_type(post),
        "mediaProductType": "THREADS",
        "hasReplies": counters["comments"] > 0,
        "isReply": post.kind == "reply",
        "isQuotePost": post.kind == "quote",
        "replyAudience": "EVERYONE",
        "views": counters["views"],
        **_relations(post),
    }
    if post.older_form:
        record |= {
            "text": post.text,
            "timestamp": iso(post.at).replace("Z", "+0000"),
            "permalink": page,
            "likes": counters["likes"],
            "replies": counters["comments"],
            "reposts": counters["reposts"],
            "quotes": counters["quotes"],
            "shares": counters["shares"],
        }
    else:
        record |= {
            "post": post.text,
            "created": iso(post.at),
            "postUrl": page,
            "likeCount": counters["likes"],
            "replyCount": counters["comments"],
            "repostCount": counters["reposts"],
            "quoteCount": counters["quotes"],
            "shares": counters["shares"],
        }
    if len(post.media) > 1:
        children = [_child(media, view) for media in post.media]
        record |= {"children": {"data": children}} if post.older_form else {"mediaUrls": children}
    elif post.media and post.media[0].spec.kind == "link":
        record["linkAttachmentUrl"] = post.media[0].spec.url
    elif post.media:
        record |= _urls(post.media[0], view)
    return record


def _child(media: WorldMedia, view: View) -> JsonObject:
    return {"id": media.id, "mediaType": _TYPES[media.spec.kind], **_urls(media, view)}


def _urls(media: WorldMedia, view: View) -> JsonObject:
    return drop_none(
        {
            "mediaUrl": url_of(media, view, "original"),
            "thumbnailUrl": url_of(media, view, "thumbnail"),
            "altText": media.spec.alt,
        }
    )


def _media_type(post: WorldPost) -> str:
    if post.kind == "repost":
        return "REPOST_FACADE"
    if len(post.media) > 1:
        return "CAROUSEL_ALBUM"
    return _TYPES.get(post.media[0].spec.kind, "TEXT_POST") if post.media else "TEXT_POST"


def _relations(post: WorldPost) -> JsonObject:
    names = {"reply_to": "repliedTo", "quotes": "quotedPost", "reposts": "repostedPost"}
    return {name: {"id": post.extra[said]} for said, name in names.items() if said in post.extra}


NETWORK = Network(
    name="threads",
    kinds=("post", "reply", "quote", "repost"),
    media=frozenset({"photo", "video", "link"}),
    max_media=20,
    scheme="meta",
    account_id=lambda tag: "2" + digits(15, "threader", tag),
    profile_url=lambda handle: f"https://www.threads.net/@{handle}",
    post_id=_post_id,
    media_id=lambda media: f"17{media.number:02d}{digits(13, media.tag)}",
    files=_files,
    record=_record,
    extra=frozenset({"reply_to", "quotes", "reposts"}),
)
