"""Instagram: pictures, videos, reels, stories and carousels. What is withheld has no `mediaUrl`."""

from datetime import datetime

from archiver import Kind
from archiver_ayrshare.demo.ids import digits, hex_digits, letters
from archiver_ayrshare.demo.networks.base import (
    AccountSeed,
    JsonObject,
    Network,
    View,
    drop_none,
    iso,
    iso_ms,
    poster,
    still,
    url_of,
    video_file,
)
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost

_PRODUCTS = {"post": "FEED", "reel": "REELS", "story": "STORY"}


def _post_id(account: AccountSeed, n: int, _at: datetime, _kind: Kind) -> str:
    return f"179{n:06d}{digits(8, account.tag, n)}"


def _files(media: WorldMedia) -> list[WorldFile]:
    seeds = digits(28, "file", media.tag)
    name = f"{seeds[:9]}_{media.id}_{seeds[9:]}"
    if media.spec.kind == "photo":
        return [WorldFile("original", f"/v/t51.2885-15/{name}_n.jpg", still(media))]
    video_path = f"/o1/v/t16/f1/m82/{hex_digits(32, media.tag).upper()}_video_dashinit.mp4"
    tall = media.post.kind in {"reel", "story"}
    return [
        WorldFile("original", video_path, video_file(media, "portrait" if tall else "medium")),
        WorldFile("thumbnail", f"/v/t51.29350-15/{name}_n.jpg", poster(media)),
    ]


def _record(post: WorldPost, view: View) -> JsonObject:
    updated, again = view.refreshed
    code = letters(11, "shortcode", post.tag)
    page = f"https://www.instagram.com/{'reel' if post.kind == 'reel' else 'p'}/{code}/"
    record: JsonObject = {
        "commentsCount": post.counters["comments"],
        "created": iso(post.at),
        "id": post.id,
        "likeCount": post.counters["likes"],
        "mediaProductType": _PRODUCTS[post.kind],
        "post": post.text,
        "postUrl": page,
        "username": post.account.handle,
    }
    if post.older_form:
        record["permalink"] = page
    else:
        record["isPopular"] = False
        record["lastUpdated"] = iso_ms(updated)
        record["nextUpdate"] = iso_ms(again)
    if len(post.media) > 1:
        record["mediaType"] = "CAROUSEL_ALBUM"
        record["mediaUrls"] = [{**_urls(child, view), "id": child.id} for child in post.media]
    else:
        media = post.media[0]
        record["mediaType"] = "VIDEO" if media.spec.kind == "video" else "IMAGE"
        record.update(_urls(media, view))
    return record


def _urls(media: WorldMedia, view: View) -> JsonObject:
    return drop_none(
        {
            "mediaUrl": None if media.withheld else url_of(media, view, "original"),
            "thumbnailUrl": url_of(media, view, "thumbnail"),
        }
    )


NETWORK = Network(
    name="instagram",
    kinds=("post", "reel", "story"),
    media=frozenset({"photo", "video"}),
    max_media=20,
    scheme="meta",
    account_id=lambda tag: "17841" + digits(12, "account", tag),
    profile_url=lambda handle: f"https://www.instagram.com/{handle}",
    post_id=_post_id,
    media_id=lambda media: f"18{media.number:02d}{digits(13, media.tag)}",
    files=_files,
    record=_record,
    withholds="item",
)
