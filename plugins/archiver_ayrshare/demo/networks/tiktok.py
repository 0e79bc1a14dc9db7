"""TikTok: videos without their files. Flagged ones come without media fields, or not at all."""

from datetime import datetime

from archiver import Kind
from archiver_ayrshare.demo.ids import digits, letters, number
from archiver_ayrshare.demo.networks.base import (
    AccountSeed,
    JsonObject,
    Network,
    View,
    iso,
    poster,
    url_of,
)
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost

_TALL = (288, 512)
_SOURCES = (
    "Search", "Sound", "other_profile_vv", "Follow", "For You", "Hashtag", "Personal Profile",
)  # fmt: skip


def _post_id(account: AccountSeed, n: int, at: datetime, _kind: Kind) -> str:
    return str((int(at.timestamp()) << 32) | (number(1 << 10, account.tag) << 22) | n)


def _files(media: WorldMedia) -> list[WorldFile]:
    path = f"/obj/tos-useast5-p-85c255-tx/{letters(32, media.tag)}"
    size = media.spec.size or _TALL
    return [WorldFile("thumbnail", path, poster(media, file_type="webp", size=size))]


def _record(post: WorldPost, view: View) -> JsonObject:
    counters = post.counters
    media = post.media[0]
    handle = post.account.handle
    page = f"https://www.tiktok.com/@{handle}/video/{post.id}"
    seconds = media.spec.duration_ms / 1000
    record: JsonObject = {
        "audienceCities": [
            {"city_name": "PT Lisboa", "percentage": 6.3},
            {"city_name": "JP Osaka", "percentage": 3.1},
        ],
        "audienceCountries": [
            {"country": "PT", "percentage": 0.9604},
            {"country": "JP", "percentage": 0.0029},
        ],
        "averageTimeWatched": round(seconds * 0.6, 4),
        "commentsCount": counters["comments"],
        "created": iso(post.at),
        "embedUrl": f"https://www.tiktok.com/static/profile-video?id={post.id}&",
        "engagementLikes": [{"percentage": 0, "second": "1"}, {"percentage": 0.5, "second": "2"}],
        "fullVideoWatchedRate": 0.0176,
        "id": post.id,
        "impressionSources": [
            {"impression_source": name, "percentage": int(name == "For You")} for name in _SOURCES
        ],
        "likeCount": counters["likes"],
        "mediaType": "video",
        "musicTitle": f"♬ original sound - {post.account.title}",
        "musicUrl": f"https://www.tiktok.com/music/original-sound-{digits(19, post.tag)}",
        "name": post.account.title,
        "post": post.text,
        "postUrl": page,
        "reach": counters["views"] * 4 // 5,
        "shareUrl": page,
        "shareCount": counters["shares"],
        "tags": [word[1:] for word in post.text.split() if word.startswith("#")],
        "totalTimeWatched": counters["views"] * 2,
        "url": f"https://www.tiktok.com/@{handle}",
        "videoDuration": round(seconds, 3),
        "videoViewRetention": [
            {"percentage": 0.9, "second": "1"}, {"percentage": 0.7, "second": "2"},
        ],
        "videoViews": counters["views"],
    }  # fmt: skip
    if media.withheld:
        for name in ("embedUrl", "musicTitle", "musicUrl", "videoDuration"):
            del record[name]
        return record
    width, height = media.spec.size or _TALL
    record["thumbnailHeight"] = height
    record["thumbnailUrl"] = url_of(media, view, "thumbnail")
    record["thumbnailWidth"] = width
    return dict(sorted(record.items()))


NETWORK = Network(
    name="tiktok",
    kinds=("video",),
    media=frozenset({"video"}),
    max_media=1,
    scheme="tiktok",
    account_id=lambda tag: "-000" + letters(32, "open id", tag),
    profile_url=lambda handle: f"https://www.tiktok.com/@{handle}",
    post_id=_post_id,
    media_id=lambda _media: "",
    files=_files,
    record=_record,
    withholds="post",
    adds_video=True,
)
