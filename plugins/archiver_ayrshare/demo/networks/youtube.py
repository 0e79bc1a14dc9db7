"""YouTube: uploads, each with a thumbnail; their place in the playlist moves with every upload."""

from datetime import timedelta

from archiver_ayrshare.demo.ids import letters, sortable
from archiver_ayrshare.demo.networks.base import JsonObject, Network, View, iso, poster, url_of
from archiver_ayrshare.demo.posts import WorldFile, WorldMedia, WorldPost


def _files(media: WorldMedia) -> list[WorldFile]:
    return [WorldFile("thumbnail", f"/vi/{media.post.id}/default.jpg", poster(media))]


def _record(post: WorldPost, view: View) -> JsonObject:
    return {
        "created": iso(post.at),
        "description": post.text,
        "id": post.id,
        "position": view.position,
        "post": post.text,
        "postUrl": f"https://www.youtube.com/watch?v={post.id}",
        "privacyStatus": post.extra.get("visibility", "public"),
        "published": iso(post.at + timedelta(seconds=41)),
        "thumbnailUrl": url_of(post.media[0], view, "thumbnail"),
        "title": post.title,
    }


NETWORK = Network(
    name="youtube",
    kinds=("video",),
    media=frozenset({"video"}),
    max_media=1,
    scheme="plain",
    account_id=lambda tag: "UC" + letters(22, "channel", tag),
    profile_url=lambda handle: f"https://www.youtube.com/@{handle}",
    post_id=lambda account, n, _at, _kind: letters(7, account.tag, n) + sortable(4, n),
    media_id=lambda _media: "",
    files=_files,
    record=_record,
    adds_video=True,
    extra=frozenset({"visibility"}),
)
