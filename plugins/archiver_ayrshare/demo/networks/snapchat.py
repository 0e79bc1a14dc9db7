"""Snapchat: stories, saved stories and spotlights. Nothing but a thumbnail is ever shown."""

from archiver import STORY_LIFE
from archiver_ayrshare.demo.ids import letters, uuid
from archiver_ayrshare.demo.networks.base import JsonObject, Network, View, iso_ms, poster, url_of
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost

_TYPES = {"story": "PUBLIC_STORY", "saved_story": "SAVED_STORY", "spotlight": "SPOTLIGHT"}
_TALL = (270, 480)


def _files(media: WorldMedia) -> list[WorldFile]:
    path = f"/d/{letters(21, media.tag)}"
    return [WorldFile("thumbnail", path, poster(media, size=media.spec.size or _TALL))]


def _record(post: WorldPost, view: View) -> JsonObject:
    record: JsonObject = {
        "id": post.id,
        "profileId": post.account.platform_id,
        "thumbnailUrl": url_of(post.media[0], view, "thumbnail"),
        "type": _TYPES[post.kind],
    }
    if post.kind == "saved_story":
        record["title"] = post.title or post.text
    record["created"] = iso_ms(post.at)
    if post.kind == "story":
        record["ended"] = iso_ms(post.at + STORY_LIFE)
    else:
        record["updated"] = iso_ms(post.edited_at or post.at)
    return record


NETWORK = Network(
    name="snapchat",
    kinds=("spotlight", "story", "saved_story"),
    media=frozenset({"photo", "video"}),
    max_media=1,
    scheme="plain",
    account_id=lambda tag: uuid("profile", tag),
    profile_url=lambda handle: f"https://www.snapchat.com/add/{handle}",
    post_id=lambda account, n, _at, _kind: uuid(account.tag, n),
    media_id=lambda _media: "",
    files=_files,
    record=_record,
    adds_video=True,
)
