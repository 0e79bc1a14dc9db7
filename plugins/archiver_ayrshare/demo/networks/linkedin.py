"""LinkedIn: urns for everything; the files' addresses have no extension."""

from datetime import datetime

from archiver import Kind
from archiver_ayrshare.demo.ids import digits, letters
from archiver_ayrshare.demo.networks.base import (
    AccountSeed,
    JsonObject,
    Network,
    View,
    iso,
    still,
    video_file,
)
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost

_REACTIONS = ("like", "praise", "maybe", "empathy", "interest", "appreciation")


def _post_id(account: AccountSeed, n: int, _at: datetime, _kind: Kind) -> str:
    return f"urn:li:share:70{n:07d}{digits(10, account.tag, n)}"


def _files(media: WorldMedia) -> list[WorldFile]:
    key = media.id.rpartition(":")[2]
    if media.spec.kind == "video":
        return [WorldFile("original", f"/dms/prv/vid/{key}", video_file(media, "medium"))]
    return [WorldFile("original", f"/dms/image/{key}", still(media))]


def _record(post: WorldPost, view: View) -> JsonObject:
    counters = post.counters
    likes, views = counters["likes"], counters["views"]
    when = iso(post.at)
    record: JsonObject = {
        "clickCount": counters["clicks"],
        "commentCount": counters["comments"],
        "created": when,
        "engagement": round((likes + counters["comments"] + counters["clicks"]) / (views or 1), 6),
        "id": post.id,
        "impressionCount": views,
        "lastModified": iso(post.edited_at) if post.edited_at else when,
        "likeCount": likes,
        "post": post.text,
        "postUrl": f"https://www.linkedin.com/feed/update/{post.id}",
        "publishedAt": when,
        "reactions": {name: likes // (k + 1) for k, name in enumerate(_REACTIONS)},
        "shareCount": counters["shares"],
        "status": "PUBLISHED",
        "uniqueImpressionsCount": views * 3 // 4,
        "visibility": post.extra.get("visibility", "PUBLIC"),
    }
    if not post.older_form:
        activity = digits(19, "activity", post.tag)
        record["comments"] = [
            f"urn:li:comment:(urn:li:activity:{activity},{digits(19, post.tag, k)})"
            for k in range(min(counters["comments"], 3))
        ]
        record["commentsState"] = "OPEN"
        record["likeBy"] = [
            f"urn:li:person:{letters(10, post.tag, k)}" for k in range(min(likes, 2))
        ]
        record["likedByCurrentUser"] = False
        record["totalFirstLevelComments"] = counters["comments"]
    if post.media:
        record["mediaUrls"] = [
            {"id": media.id, "url": view.url(media.files[0])} for media in post.media
        ]
    return record


def _media_id(media: WorldMedia) -> str:
    kind = "video" if media.spec.kind == "video" else "image"
    return f"urn:li:{kind}:C4E10AQ{letters(16, media.tag)}"


NETWORK = Network(
    name="linkedin",
    kinds=("post",),
    media=frozenset({"photo", "video"}),
    max_media=20,
    scheme="linkedin",
    account_id=lambda tag: digits(8, "organization", tag),
    profile_url=lambda handle: f"https://www.linkedin.com/company/{handle}",
    post_id=_post_id,
    media_id=_media_id,
    files=_files,
    record=_record,
    extra=frozenset({"visibility"}),
    details={"type": "corporate"},
)
