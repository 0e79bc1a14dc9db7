"""Statuses of every shape: those of our own world, and what relatives of Mastodon add."""

from typing import Any

from archiver.clock import DemoClock
from support.mastodon.world import FediMedia, FediServer, FediStatus, JsonObject


def statuses() -> list[JsonObject]:
    """One status of each shape, as somebody reads them who is not logged in."""
    clock = DemoClock()
    world = FediServer(clock.now)
    world.origin = "https://files.social.example"
    press = world.sign_up("press", display_name="Press :star:")
    bob = world.sign_up("bob", host="other.example")
    plain = press.publish(
        "Good morning, @bob@other.example: https://www.example.org/a/long/path/x #news"
    )
    plain.fields = _linked(plain)
    theirs = bob.publish("Theirs", media=[FediMedia()])
    with_media = press.publish(
        "Look",
        media=[_media(kind) for kind in ("image", "gifv", "video", "audio", "unknown")],
        warning="food",
    )
    clock.advance(hours=1)
    with_media.edit("Look here")
    shapes = [
        plain, with_media,
        press.publish("Which?", poll=["This", "That"], counts={"option This": 2}),
        press.publish("Yes", answers=theirs), press.publish("So it is", quotes=theirs),
        press.boost(theirs), press.publish("", visibility="unlisted", language=None),
        press.publish(":star:", emojis=[_emoji(world, "star")], visibility="private"),
    ]  # fmt: skip
    return [status.as_json() for status in shapes] + [
        _pleroma(plain), _gotosocial(plain), _pixelfed(with_media),
    ]  # fmt: skip


def _media(kind: str) -> FediMedia:
    meta: dict[str, Any] = {"width": 640, "height": 360, "frame_rate": "30/1", "duration": 2.5}
    if kind == "audio":
        meta = {"duration": 61.25, "bitrate": 128_000}
    fields: JsonObject = {"meta": {"original": meta, "small": {"width": 400, "height": 225}}}
    if kind == "unknown":
        fields = {"url": None, "preview_url": None, "meta": {},
                  "remote_url": "https://other.example/files/strange.xyz"}  # fmt: skip
    return FediMedia(kind, description=f"A {kind}", fields=fields)


def _emoji(world: FediServer, code: str) -> JsonObject:
    url = f"{world.origin}/custom_emojis/images/{code}.png"
    return {"shortcode": code, "url": url, "static_url": url, "visible_in_picker": True}


def _linked(status: FediStatus) -> JsonObject:
    mention = {"id": "7", "username": "bob", "acct": "bob@other.example",
               "url": "https://other.example/@bob"}  # fmt: skip
    card = {
        "url": "https://www.example.org/a/long/path/x", "title": "A page", "description": "",
        "type": "link", "author_name": "", "author_url": "", "provider_name": "", "html": "",
        "provider_url": "", "width": 0, "height": 0,
        "image": "https://files.social.example/cache/preview_cards/images/1/original/a.png",
        "embed_url": "",
        "blurhash": None, "published_at": None, "authors": [],
    }  # fmt: skip
    tag = {"name": "news", "url": f"https://{status.author.world.host}/tags/news"}
    return {"mentions": [mention], "tags": [tag], "card": card}


def _pleroma(status: FediStatus) -> JsonObject:
    whole = status.as_json()
    for missing in ("quote", "quote_approval", "quotes_count", "filtered", "edited_at"):
        del whole[missing]
    return whole | {
        "id": "AYwkjkQf9tO8bSuGSe",
        "bookmarked": False, "favourited": False, "muted": False, "pinned": False,
        "reblogged": False, "text": None,
        "pleroma": {
            "content": {"text/plain": "Good morning"}, "conversation_id": 12, "local": True,
            "emoji_reactions": [], "quote_id": "AYwkjkQf9tO8bSuGSf",
            "quote_url": "https://other.example/objects/1", "quote_visible": True,
        },
    }  # fmt: skip


def _gotosocial(status: FediStatus) -> JsonObject:
    whole = status.as_json()
    for missing in ("quote", "quote_approval", "quotes_count", "filtered"):
        del whole[missing]
    policy = {"always": ["public"], "with_approval": []}
    return whole | {
        "id": "01HQ7KD1RJ5JDRTMQB2XZ1Y5GQ",
        "content_type": "text/markdown",
        "interaction_policy": {"can_favourite": policy, "can_reply": policy, "can_reblog": policy},
    }


def _pixelfed(status: FediStatus) -> JsonObject:
    whole = status.as_json()
    for missing in ("quote", "quote_approval", "quotes_count", "filtered"):
        del whole[missing]
    photo = whole["media_attachments"][0] | {
        "mime": "image/jpeg", "is_nsfw": 0, "license": None, "orientation": "landscape",
        "filter_name": None, "filter_class": None, "optimized_url": None,
    }  # fmt: skip
    return whole | {
        "_v": 1, "shortcode": "abc", "content_text": "Look", "thread": False, "replies": [],
        "parent": [], "place": None, "local": True, "taggedPeople": [], "pf_type": "photo",
        "label": {"covid": False}, "reply_count": 0, "comments_disabled": False,
        "liked_by": {"username": None, "others": False}, "media_attachments": [photo],
    }  # fmt: skip
