"""Facebook: a page's feed. Photos, videos, links and stories, nested as by its Graph API."""

from datetime import datetime

from archiver import Kind
from archiver_ayrshare.demo.ids import digits, letters
from archiver_ayrshare.demo.networks.base import (
    AccountSeed,
    JsonObject,
    Network,
    View,
    iso,
    iso_ms,
    pixels,
    poster,
    poster_pixels,
    still,
    url_of,
    video_file,
)
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost

_FEELINGS = ("like", "love", "anger", "haha", "wow", "sorry")


def _post_id(account: AccountSeed, n: int, _at: datetime, kind: Kind) -> str:
    if kind == "story":
        return f"159{n:06d}{digits(7, account.tag, n)}"
    return f"{account.platform_id}_{75_000_000 + n}{digits(7, account.tag, n)}"


def _files(media: WorldMedia) -> list[WorldFile]:
    name = f"{media.id}_{digits(16, media.tag)}"
    match media.spec.kind:
        case "photo":
            return [WorldFile("original", f"/v/t39.30808-6/{name}_n.jpg", still(media))]
        case "video":
            full = digits(15, "full", media.tag)
            return [
                WorldFile("original", f"/v/t39.25447-2/{name}_n.mp4", video_file(media, "medium")),
                WorldFile("thumbnail", f"/v/t15.5256-10/{name}_n.jpg", poster(media)),
                WorldFile("preview", f"/v/t15.5256-10/{full}_n.jpg", poster(media, "full")),
            ]
        case _ if media.spec.picture:
            return [WorldFile("preview", f"/emg1/v/t13/{digits(18, media.tag)}", poster(media))]
        case _:
            return []


def _record(post: WorldPost, view: View) -> JsonObject:
    record = _story(post, view) if post.kind == "story" else _feed_post(post, view)
    return dict(sorted(record.items()))


def _feed_post(post: WorldPost, view: View) -> JsonObject:
    counters = post.counters
    updated, again = view.refreshed
    record: JsonObject = {
        **_common(post, view),
        "created": iso(post.at),
        "isPopular": counters["likes"] > 50,
        "lastUpdated": iso_ms(updated),
        "likeCount": counters["likes"],
        "likedBy": [
            {"id": digits(16, post.tag, k), "name": name}
            for k, name in enumerate(("John Smith", "Mei Tanaka", "Layla Haddad"))
            if k < counters["likes"] % 4
        ],
        "nextUpdate": iso_ms(again),
        "postUrl": f"https://www.facebook.com/{post.id}",
        "statusType": _status(post),
    }
    first = post.media[0] if post.media else None
    if first and (picture := first.file("preview") or first.file("original")):
        record["fullPicture"] = view.url(picture)
    if first and first.spec.kind == "video":
        seconds = first.spec.duration_ms // 1000
        record["properties"] = [
            {"name": "Length", "text": f"{seconds // 60:02d}:{seconds % 60:02d}"}
        ]
    if parent := post.extra.get("shares"):
        record["parentId"] = parent
    return record


def _story(post: WorldPost, view: View) -> JsonObject:
    kind = post.media[0].spec.kind if post.media else "photo"
    fans = {
        f"impressions{name}": 0
        for name in ("FanPaidUnique", "FanUnique", "OrganicUnique", "PaidUnique")
    }
    page = post.account.platform_id
    return {
        **_common(post, view),
        **fans,
        "created": iso_ms(post.at),
        "likeCount": post.counters["likes"],
        "mediaId": post.id,
        "mediaType": kind,
        "postId": digits(16, "story", post.tag),
        "postUrl": f"https://facebook.com/stories/{page}/{letters(32, post.tag)}=/?view_single=1",
        "sharesCount": post.counters["shares"],
        "statusType": "published",
    }


def _common(post: WorldPost, view: View) -> JsonObject:
    """The fields that feed posts and stories share, in the older or the newer form."""
    counters = post.counters
    record: JsonObject = {
        "clicksUnique": counters["clicks"],
        "commentsCount": counters["comments"],
        "engagedUsers": counters["likes"] + counters["comments"],
        "id": post.id,
        "negativeFeedback": 0,
        "negativeFeedbackUnique": 0,
        "post": post.text,
        "reactions": _reactions(counters["likes"]),
        "reactionsByType": counters["likes"],
        "videoViewTime": 0,
        "videoViews": counters["views"] if _has_video(post) else 0,
    }
    if post.older_form:
        record["impressionsUnique"] = counters["views"]
        record["videoViewsUnique"] = 0
    else:
        record["mediaView"] = counters["views"]
        record["mediaViewIsFromAds"] = 0
    if post.media:
        record["mediaUrls"] = [_attachment(post, media, view) for media in post.media]
    return record


def _attachment(post: WorldPost, media: WorldMedia, view: View) -> JsonObject:
    story = {"type": "story"} if post.kind == "story" else {}
    page = post.account.platform_id
    match media.spec.kind:
        case "link":
            kind = "mediaUrl" if post.older_form else "mediaType"
            return {kind: "link", "url": media.spec.url}
        case "video":
            width, height = poster_pixels(media)
            image = {"height": height, "src": url_of(media, view, "thumbnail"), "width": width}
            video_url = url_of(media, view, "original")
            own = {
                "url": f"https://www.facebook.com/{page}/videos/{media.id}",
                "videoId": media.id,
            }
            return {
                "media": {"image": image, "source": video_url},
                "mediaType": "video",
                **(story or own),
            }
        case _:
            width, height = pixels(media)
            image = {"height": height, "src": url_of(media, view, "original"), "width": width}
            own = {"url": f"https://www.facebook.com/photo.php?fbid={media.id}"}
            return {"media": {"image": image}, "mediaType": "photo", **(story or own)}


def _reactions(total: int) -> JsonObject:
    if not total:
        return {}
    shares = dict.fromkeys(_FEELINGS, total // 9)
    shares["like"] = total - 5 * (total // 9)
    return {**shares, "total": total}


def _has_video(post: WorldPost) -> bool:
    return any(media.spec.kind == "video" for media in post.media)


def _status(post: WorldPost) -> str:
    if "shares" in post.extra:
        return "shared_story"
    kinds = {media.spec.kind for media in post.media}
    if "video" in kinds:
        return "added_video"
    return "added_photos" if "photo" in kinds else "mobile_status_update"


NETWORK = Network(
    name="facebook",
    kinds=("post", "story"),
    media=frozenset({"photo", "video", "link"}),
    max_media=10,
    scheme="meta",
    account_id=lambda tag: "1046" + digits(11, "page", tag),
    profile_url=lambda handle: f"https://www.facebook.com/{handle}",
    post_id=_post_id,
    media_id=lambda media: digits(16, "media", media.tag),
    files=_files,
    record=_record,
    extra=frozenset({"shares"}),
)
