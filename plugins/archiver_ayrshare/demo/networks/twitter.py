"""X: two shapes of media, videos in three bitrates with an HLS playlist, and three sets of numbers.

The old shape of a video gives only its still. A repost is a post of its own, whose text begins with
`RT @`; its public numbers are those of the original.
"""

from datetime import datetime, timedelta

from archiver import Kind
from archiver_ayrshare.demo.ids import digits, letters, number
from archiver_ayrshare.demo.networks.base import (
    AccountSeed,
    JsonObject,
    Network,
    View,
    drop_none,
    extension,
    iso_ms,
    pixels,
    poster,
    still,
    url_of,
    video_file,
)
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost
from archiver_ayrshare.demo.recipes import VIDEO_PIXELS, Playlist, VideoSize

_EPOCH_MS = 1_288_834_974_657
_VARIANTS: tuple[tuple[VideoSize, int], ...] = (
    ("small", 256_000),
    ("medium", 832_000),
    ("large", 2_176_000),
)
_PRIVATE_FOR = timedelta(days=30)
_REFERENCES = {"quotes": "quoted", "reply_to": "replied_to", "reposts": "retweeted"}
_QUARTERS = (0, 25, 50, 75, 100)


def _escaped(text: str) -> str:
    """Text as X sends it: three characters as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _post_id(account: AccountSeed, n: int, at: datetime, _kind: Kind) -> str:
    since = max(int(at.timestamp() * 1000) - _EPOCH_MS, 1)
    return str((since << 22) | (number(64, account.tag) << 16) | (n % 65_536))


def _files(media: WorldMedia) -> list[WorldFile]:
    name, key = letters(15, media.tag), media.id.partition("_")[2]
    match media.spec.kind:
        case "photo":
            return [WorldFile("original", f"/media/{name}.{extension(media)}", still(media))]
        case "gif":
            return [
                WorldFile("original", f"/tweet_video/{name}.mp4", video_file(media)),
                WorldFile("preview", f"/tweet_video_thumb/{name}.jpg", poster(media)),
            ]
        case _:
            home = f"/ext_tw_video/{key}/pu"
            variants = []
            for size, _ in _VARIANTS:
                width, height = VIDEO_PIXELS[size]
                path = f"{home}/vid/avc1/{width}x{height}/{letters(16, size, media.tag)}.mp4"
                variants.append(WorldFile("variant", path, video_file(media, size)))
            playlist = Playlist(
                tuple((f.path, *s) for f, s in zip(variants, _VARIANTS, strict=True))
            )
            still_path = f"/ext_tw_video_thumb/{key}/pu/img/{name}.jpg"
            return [
                *variants,
                WorldFile("original", f"{home}/pl/{name}.m3u8", playlist),
                WorldFile("preview", still_path, poster(media)),
            ]


def _record(post: WorldPost, view: View) -> JsonObject:
    counters = post.counters
    when = iso_ms(post.at)
    repost = post.kind == "repost"
    record: JsonObject = {
        "created": when,
        "id": post.id,
        "possiblySensitive": False,
        "post": _escaped(post.text),
        "postUrl": f"https://twitter.com/{post.account.handle}/status/{post.id}",
        "publicMetrics": {
            "retweetCount": counters["reposts"] + (1000 if repost else 0),
            "replyCount": counters["comments"],
            "likeCount": counters["likes"],
            "quoteCount": counters["quotes"],
        },
    }
    if post.older_form:
        record["source"] = "Ayrshare"
        record["text"] = _escaped(post.text)
    else:
        record["authorId"] = post.account.platform_id
        record["createdAt"] = when
        record["editHistoryTweetIds"] = [post.id]
        record["publicMetrics"] |= {
            "bookmarkCount": counters["saves"],
            "impressionCount": counters["views"],
        }
    if view.owned and not repost and view.now - post.at < _PRIVATE_FOR:
        record |= _private_numbers(post)
    if post.media:
        record["media"] = [_media(post, media, view) for media in post.media]
    if references := _references(post):
        record["referencedTweets"] = references
    if urls := post.extra.get("urls"):
        record["urls"] = [_url(post, k, url) for k, url in enumerate(urls)]
    return dict(sorted(record.items()))


def _private_numbers(post: WorldPost) -> JsonObject:
    counters = post.counters
    return {
        "nonPublicMetrics": {
            "impressionCount": counters["views"],
            "userProfileClicks": counters["clicks"],
        },
        "organicMetrics": {
            "userProfileClicks": counters["clicks"],
            "likeCount": counters["likes"],
            "replyCount": counters["comments"],
            "impressionCount": counters["views"] * 9 // 10,
            "retweetCount": counters["reposts"],
        },
    }


def _media(post: WorldPost, media: WorldMedia, view: View) -> JsonObject:
    match media.spec.kind:
        case "photo":
            width, height = pixels(media)
            return drop_none(
                {
                    "mediaKey": media.id,
                    "type": "photo",
                    "url": url_of(media, view, "original"),
                    "width": width,
                    "height": height,
                    "altText": media.spec.alt,
                }
            )
        case "gif":
            mp4 = {
                "bitRate": 0,
                "contentType": "video/mp4",
                "mediaUrl": url_of(media, view, "original"),
            }
            return drop_none(
                {
                    "mediaKey": media.id,
                    "type": "animated_gif",
                    "previewImageUrl": url_of(media, view, "preview"),
                    "width": 480,
                    "height": 270,
                    "altText": media.spec.alt,
                    "mediaUrls": None if post.older_form else [mp4],
                }
            )
        case _:
            return _video_media(post, media, view)


def _video_media(post: WorldPost, media: WorldMedia, view: View) -> JsonObject:
    record: JsonObject = {
        "mediaKey": media.id,
        "previewImageUrl": url_of(media, view, "preview"),
        "durationMs": media.spec.duration_ms,
        "type": "video",
    }
    if post.older_form:
        return record
    views = post.counters["views"]
    played = {f"playback{quarter}Count": views * (120 - quarter) // 120 for quarter in _QUARTERS}
    if view.owned and view.now - post.at < _PRIVATE_FOR:
        record["nonPublicMetrics"] = played
        record["organicMetrics"] = {**played, "viewCount": views}
    variants: list[JsonObject] = [
        {"bitRate": rate, "contentType": "video/mp4", "mediaUrl": view.url(file) + "?tag=12"}
        for file, (_, rate) in zip(media.variants(), _VARIANTS, strict=True)
    ]
    playlist = url_of(media, view, "original")
    variants.append(
        {
            "contentType": "application/x-mpegURL",
            "mediaUrl": f"{playlist}?tag=12&container=fmp4",
        }
    )
    width, height = VIDEO_PIXELS["large"]
    record |= {
        "publicMetrics": {"viewCount": views},
        "width": width,
        "height": height,
        "mediaUrls": variants,
    }
    return record | ({"altText": media.spec.alt} if media.spec.alt else {})


def _references(post: WorldPost) -> list[JsonObject]:
    return [
        {"type": word, "id": post.extra[said], "url": f"https://www.twitter.com/{post.extra[said]}"}
        for said, word in _REFERENCES.items()
        if said in post.extra and not (said == "reposts" and post.older_form)
    ]


def _url(post: WorldPost, k: int, url: str) -> JsonObject:
    start = len(post.text) + 24 * k
    return {
        "start": start,
        "end": start + 23,
        "url": f"https://t.co/{letters(10, post.tag, k)}",
        "expandedUrl": url,
        "displayUrl": url.removeprefix("https://").removeprefix("www.").rstrip("/"),
    }


def _media_id(media: WorldMedia) -> str:
    prefix = {"photo": "3", "gif": "16"}.get(media.spec.kind, "7")
    return f"{prefix}_{digits(19, media.tag)}"


NETWORK = Network(
    name="twitter",
    kinds=("post", "reply", "quote", "repost"),
    media=frozenset({"photo", "video", "gif"}),
    max_media=4,
    scheme="plain",
    account_id=lambda tag: digits(16, "user", tag),
    profile_url=lambda handle: f"https://twitter.com/{handle}",
    post_id=_post_id,
    media_id=_media_id,
    files=_files,
    record=_record,
    extra=frozenset({"reply_to", "quotes", "reposts", "urls"}),
)
