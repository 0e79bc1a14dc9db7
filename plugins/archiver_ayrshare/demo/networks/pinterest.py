"""Pinterest: pins. A video is only ever shown as its cover; animations are real GIF files."""

from datetime import datetime

from archiver import Kind
from archiver_ayrshare.demo.ids import digits, hex_digits
from archiver_ayrshare.demo.networks.base import (
    AccountSeed,
    JsonObject,
    Network,
    View,
    animation,
    drop_none,
    extension,
    iso,
    pixels,
    poster,
    poster_pixels,
    still,
    url_of,
)
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost


def _post_id(account: AccountSeed, n: int, _at: datetime, _kind: Kind) -> str:
    return f"71{n:07d}{digits(9, account.tag, n)}"


def _files(media: WorldMedia) -> list[WorldFile]:
    name = hex_digits(32, media.tag)
    home = f"/originals/{name[:2]}/{name[2:4]}/{name[4:6]}"
    match media.spec.kind:
        case "video":
            # Beside other things a video shows another still than it does alone.
            nested = "/videos/thumbnails" + home
            return [
                WorldFile("cover", f"{home}/{name}.jpg", poster(media, "cover")),
                WorldFile("thumbnail", f"{nested}/{name}.jpg", poster(media)),
            ]
        case "gif":
            return [WorldFile("original", f"{home}/{name}.gif", animation(media))]
        case _:
            path = f"{home}/{name}.{extension(media)}"
            return [WorldFile("original", path, still(media))]


def _record(post: WorldPost, view: View) -> JsonObject:
    record: JsonObject = {
        "altText": post.media[0].spec.alt or "",
        "boardId": post.extra.get("board"),
        "created": iso(post.at),
        "dominantColor": f"#{hex_digits(6, post.tag)}",
        "id": post.id,
        "link": post.extra.get("link", ""),
        "note": post.extra.get("note"),
        "post": post.text,
        "postUrl": f"https://www.pinterest.com/pin/{post.id}",
        "title": post.title or None,
        "username": post.account.handle,
    }
    if not post.older_form:
        record["productTags"] = []
    if len(post.media) > 1:
        record["mediaType"] = "multiple_mixed"
        record["mediaUrls"] = [_item(media, view) for media in post.media]
    else:
        record.update(_single(post.media[0], view))
    return dict(sorted(drop_none(record).items()))


def _single(media: WorldMedia, view: View) -> JsonObject:
    width, height = _pixels(media)
    if media.spec.kind == "video":
        cover = url_of(media, view, "cover")
        return {
            "coverImageUrl": cover,
            "duration": media.spec.duration_ms,
            "height": height,
            "mediaType": "video",
            "mediaUrl": cover,
            "width": width,
        }
    url = url_of(media, view, "original")
    return {"height": height, "mediaType": "image", "mediaUrl": url, "width": width}


def _item(media: WorldMedia, view: View) -> JsonObject:
    width, height = _pixels(media)
    item: JsonObject = {"height": height, "width": width}
    if media.spec.kind == "video":
        url = url_of(media, view, "thumbnail")
        return {
            "mediaType": "video", "duration": media.spec.duration_ms, **item, "mediaUrl": url,
        }  # fmt: skip
    return {"mediaType": "image", **item, "mediaUrl": url_of(media, view, "original")}


def _pixels(media: WorldMedia) -> tuple[int, int]:
    match media.spec.kind:
        case "video":
            return poster_pixels(media)
        case "gif":
            return 240, 240
        case _:
            return pixels(media)


NETWORK = Network(
    name="pinterest",
    kinds=("pin",),
    media=frozenset({"photo", "video", "gif"}),
    max_media=5,
    scheme="plain",
    account_id=lambda tag: digits(18, "pinner", tag),
    profile_url=lambda handle: f"https://www.pinterest.com/{handle}",
    post_id=_post_id,
    media_id=lambda _media: "",
    files=_files,
    record=_record,
    extra=frozenset({"board", "link", "note"}),
)
