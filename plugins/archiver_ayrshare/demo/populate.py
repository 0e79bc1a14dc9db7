"""Publishes many varied posts at once, the same ones every time."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from archiver import Kind
from archiver_ayrshare.demo.ids import digest, digits
from archiver_ayrshare.demo.posts import WorldPost
from archiver_ayrshare.demo.specs import MediaSpec, gif, link, photo, video

if TYPE_CHECKING:
    from archiver_ayrshare.demo.accounts import WorldAccount

_WORDS = (
    "morning", "harbour", "glaze", "kiln", "river", "window", "bread", "lantern", "garden", "tram",
    "winter", "orange", "paper", "cloud", "market", "bicycle", "letter", "island", "copper", "rain",
    "朝の光", "釉薬", "海边", "茶杯", "بحر", "صباح", "☀️", "🌊", "#ceramics", "#slow",
)  # fmt: skip
_SIZES = ((96, 72), (72, 96), (80, 80), (120, 68))
_SHARED = 8

_CONTENT_KINDS = {
    "bluesky": "photo text photos film link reply quote",
    "facebook": "photo film photos link text share story",
    "instagram": "photo photos reel film mixed story",
    "linkedin": "photo text photos film connections",
    "pinterest": "pin photo film mixed gif",
    "snapchat": "text saved story",
    "threads": "photo text film photos mixed reply quote repost",
    "tiktok": "text",
    "twitter": "photo text film photos gif reply quote repost long",
    "youtube": "upload",
}
"""The kinds of content that are published in turn on each platform; `_content` makes them."""


def populate(
    account: "WorldAccount",
    count: int,
    *,
    newest: datetime | None = None,
    every: timedelta = timedelta(hours=7),
    media: bool = True,
    stories: bool = False,
) -> list[WorldPost]:
    """Publish so many posts, oldest first, the last at `newest` (else now), evenly apart.

    All kinds of posts and media of the platform are used in turn, the older form of records too.
    One picture in ten is shared with other posts, all others differ in their bytes. With `stories`,
    there are expiring ones, too. Without `media`, only posts that need media have any.
    """
    newest = newest or account.world.now()
    content_kinds = [
        content_kind
        for content_kind in _CONTENT_KINDS[account.platform].split()
        if stories or content_kind != "story"
    ]
    begun = len(account.posts())
    posts = []
    for k in range(begun, begun + count):
        seeds = digest("populate", account.tag, k)
        content = _content(content_kinds[k % len(content_kinds)], account.platform, seeds)
        if not media and account.platform not in {"instagram", "pinterest"}:
            content.pop("media", None)
        at = newest - every * (begun + count - 1 - k)
        old = (k // len(content_kinds)) % 3 == 2
        text = _text(seeds, k)
        if content.get("kind") == "repost" and account.platform == "twitter":
            text = f"RT @somebody: {text}"
        posts.append(account.publish(text, at=at, older_form=old, **content))
    return posts


def _text(seeds: bytes, k: int) -> str:
    words = " ".join(_WORDS[seed % len(_WORDS)] for seed in seeds[: 3 + seeds[0] % 9])
    return f"{words} {k}"


def _content(content_kind: str, platform: str, seeds: bytes) -> dict[str, Any]:
    """The arguments of `publish`, besides text and time."""
    if content_kind in _RELATED:
        kind, word = _RELATED[content_kind]
        return {word: _foreign_post_id(platform, seeds), **({"kind": kind} if kind else {})}
    content = dict(_PLAIN[content_kind])
    match content_kind:
        case "photo" | "pin" | "story":
            content["media"] = [_photo(seeds)]
        case "photos":
            content["media"] = [_photo(seeds[k:]) for k in range(2 + seeds[6] % 3)]
        case "mixed":
            content["media"] = [_photo(seeds), video(), _photo(seeds[2:])]
    return content


_PLAIN: dict[str, dict[str, Any]] = {
    "text": {},
    "photo": {},
    "photos": {},
    "mixed": {},
    "pin": {"title": "Seen today", "note": "Keep this", "board": "955255839651522358"},
    "story": {"kind": "story"},
    "film": {"media": [video()]},
    "gif": {"media": [gif()]},
    "link": {"media": [link("https://example.com/a-page", title="A page")]},
    "reel": {"kind": "reel", "media": [video()]},
    "saved": {"kind": "saved_story", "title": "Saved from the studio"},
    "connections": {"visibility": "CONNECTIONS"},
    "upload": {"title": "A film from the studio"},
    "long": {"urls": ["https://www.example.com/shop"]},
}
_RELATED: dict[str, tuple[Kind | None, str]] = {
    "reply": ("reply", "reply_to"),
    "quote": ("quote", "quotes"),
    "repost": ("repost", "reposts"),
    "share": (None, "shares"),
}


def _foreign_post_id(platform: str, seeds: bytes) -> str:
    """The id of a post of another account."""
    match platform:
        case "bluesky":
            return f"at://did:plc:somebodyelse/app.bsky.feed.post/3l{seeds.hex()[:11]}"
        case "facebook":
            return f"5764771300200609_{digits(15, seeds.hex())}"
        case _:
            return digits(19, seeds.hex())


def _photo(seeds: bytes) -> MediaSpec:
    alt = f"A picture of {_WORDS[seeds[3] % 20]}" if seeds[4] % 2 else None
    if seeds[1] % 10 == 0:
        return photo(f"shared {seeds[2] % _SHARED}", alt=alt)
    return photo(size=_SIZES[seeds[5] % len(_SIZES)], alt=alt)
