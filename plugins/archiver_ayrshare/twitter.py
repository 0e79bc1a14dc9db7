"""X: posts, replies, quotes and reposts, with metrics of each attachment.

A video lists its files by bitrate, and a playlist without one; older answers have a preview only.
No page shows a photo: `mediaUrls`, `mediaUrl` and X's own `url` are accepted.
A repost comes as a post of its own (`RT @…`) with the numbers of the original.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from archiver import (
    Account,
    Attachment,
    Kind,
    Page,
    Platform,
    Relation,
    RelationKind,
    Rendition,
    Window,
    hookimpl,
)
from archiver_ayrshare.accounts import author_of
from archiver_ayrshare.addresses import url_of
from archiver_ayrshare.client import AyrshareClient
from archiver_ayrshare.fields import Fields, steps_of
from archiver_ayrshare.forms import (
    ADDRESS,
    ALT_TEXT,
    CONTENT_TYPE,
    COUNT,
    DURATION_MS,
    FILE,
    HEIGHT,
    ID,
    KIND,
    ORIGINAL,
    PLATFORM_ID,
    PREVIEW,
    SIZE,
    WIDTH,
    WORD,
    Slot,
)
from archiver_ayrshare.media import (
    address_of,
    distinct,
    items_of,
    kind_of_url,
    kind_of_word,
    original,
    prefixed,
    rendition_of,
)
from archiver_ayrshare.numbers import milliseconds, size_of
from archiver_ayrshare.options import ProfileOptions, TwitterOptions
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.reader import MetricTable
from archiver_ayrshare.values import (
    dig,
    first,
    id_of,
    is_blank,
    list_of,
    object_of,
    text_of,
    word_of,
)

_GROUPS = {
    "publicMetrics": "",
    "nonPublicMetrics": "non_public.",
    "organicMetrics": "organic.",
    "promotedMetrics": "promoted.",
}
_COUNTS = {
    "retweetCount": "reposts",
    "repostCount": "reposts",
    "replyCount": "replies",
    "likeCount": "likes",
    "quoteCount": "quotes",
    "bookmarkCount": "bookmarks",
    "impressionCount": "impressions",
    "userProfileClicks": "profile_clicks",
    "urlLinkClicks": "link_clicks",
    "urlClicks": "link_clicks",
    "engagements": "engagement",
}
_MEDIA_COUNTS = {
    "viewCount": "views",
    **{f"playback{quarter}Count": f"playback_{quarter}" for quarter in (0, 25, 50, 75, 100)},
}
_MEDIA_METRICS = {
    f"{group}.{count}": prefix + name
    for group, prefix in _GROUPS.items()
    for count, name in _MEDIA_COUNTS.items()
}
_FILES = Slot("original: the highest bitrate; variant: the others", FILE)
_MEDIA = {
    "mediaKey": PLATFORM_ID,
    "id": PLATFORM_ID,
    "type": KIND,
    "altText": ALT_TEXT,
    "width": WIDTH,
    "height": HEIGHT,
    "durationMs": DURATION_MS,
    "previewImageUrl": PREVIEW,
    "mediaUrl": ORIGINAL,
    "url": ORIGINAL,
    "mediaUrls[]": ORIGINAL,
    "mediaUrls[].mediaUrl": _FILES,
    "mediaUrls[].url": _FILES,
    "mediaUrls[].bitRate": Slot("bitrate", SIZE),
    "mediaUrls[].contentType": CONTENT_TYPE,
    **{path: Slot(f"metrics: {name}", COUNT) for path, name in _MEDIA_METRICS.items()},
}
_SHORT_TEXTS = ("post", "text")
_WHOLE_TEXTS = ("fullText", "full_text", "noteTweet.text", "note_tweet.text")
_TEXTS = tuple(steps_of(path) for path in (*_SHORT_TEXTS, *_WHOLE_TEXTS))
_ESCAPED = re.compile(r"&(amp|lt|gt);")
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">"}
_PLAYLIST = "mpegurl"
_RELATIONS: dict[str, tuple[RelationKind, Kind]] = {
    "retweeted": ("reposts", "repost"),
    "replied_to": ("reply_to", "reply"),
    "quoted": ("quotes", "quote"),
}
_HANDLE = re.compile(r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/(\w+)/status", re.ASCII)


_NO_AUTHOR_ID = (
    "The posts have no author id, and a handle can pass to somebody else: give user_id "
    "in place of user_name"
)


class Twitter(AyrsharePlatform):
    """X, which the API calls `twitter`."""

    name = "twitter"
    options: type[ProfileOptions] = TwitterOptions
    setup_note = (
        "X needs two more keys: x_api_key and x_api_secret in the [ayrshare] table, the consumer "
        "key and secret of an X app of your own (https://developer.x.com)"
    )
    fields = Fields(
        text=(*_SHORT_TEXTS, *_WHOLE_TEXTS, "caption", "message", "description"),
        aliases=dict.fromkeys(
            ("editHistoryTweetIds[]", "edit_history_tweet_ids[]"), "edit_history"
        ),
        metrics={
            f"{group}.{count}": prefix + name
            for group, prefix in _GROUPS.items()
            for count, name in _COUNTS.items()
        },
        relations={
            "referencedTweets[].type": Slot("quoted, replied_to or retweeted", WORD),
            "referencedTweets[].id": Slot("platform_id", ID),
            "referencedTweets[].url": Slot("url", ADDRESS),
            "inReplyToStatusId": Slot("reply_to", ID),
        },
        attachments={
            **prefixed("media[].", _MEDIA),
            "mediaUrls[]": Slot("original, where there is no media[]", FILE),
            "mediaUrls[].mediaUrl": Slot("original, where there is no media[]", FILE),
        },
        words={"referencedTweets[].type": frozenset(_RELATIONS)},
        content={
            "urls[].expandedUrl": "links",
            "replySettings": "reply_settings",
            "poll.*": "poll",
        },
        raw_only={
            "authorId": "known from the account",
            "possiblySensitive": "X may set it by itself",
            "source": "the program it was posted with",
            "urls[].start": "where the link stands in the text",
            "urls[].end": "where the link stands in the text",
            "urls[].url": "the short link, which is in the text",
            "urls[].displayUrl": "the link, shortened for display",
            "urls[].title": "the linked page's own",
            "urls[].description": "the linked page's own",
            "urls[].unwoundUrl": "where the link led when X looked",
            "urls[].status": "what X got there",
            "urls[].mediaKey": "the medium that the link stands for",
            "urls[].images.*": "the linked page's own",
            "lang": "X's guess",
            "conversationId": "the thread's first post",
            "inReplyToUserId": "somebody else",
            "entities.*": "where links and names stand in the text",
            "contextAnnotations.*": "X's guess",
            "editControls.*": "until when it may be edited",
        },
    )

    async def pages(
        self, client: AyrshareClient, account: Account, window: Window
    ) -> AsyncIterator[Page]:
        """The account's records, newest first; with a note where they have no author id.

        Raises SourceError, SecretError.
        """
        handle = getattr(account.options, "handle", None)
        async for page in super().pages(client, account, window):
            is_unconfirmed = handle and page.records and author_of(page.records) is None
            yield replace(page, notes=(*page.notes, _NO_AUTHOR_ID)) if is_unconfirmed else page

    def kind(self, record: Mapping[str, Any]) -> Kind:
        """A repost before a reply before a quote; older answers mark reposts only in their text."""
        kinds = {relation.kind for relation in self.relations(record)}
        for relation, kind in _RELATIONS.values():
            if relation in kinds:
                return kind
        return "repost" if (self.reader.text(record) or "").startswith("RT @") else "post"

    def author(self, record: Mapping[str, Any], url: str | None) -> str | None:
        """The handle, from the post's URL where nothing else says it."""
        match = _HANDLE.match(url) if url else None
        return self.reader.author(record) or (match[1] if match else None)

    def text(self, record: Mapping[str, Any]) -> str | None:
        """The longest text: `post` may be truncated where another field has all of it.

        X writes `&`, `<` and `>` as entities.
        """
        texts = [text for steps in _TEXTS if (text := text_of(dig(record, steps)))]
        longest = max(map(_unescaped, texts), key=len, default=None)
        return longest or super().text(record)

    def relations(self, record: Mapping[str, Any]) -> tuple[Relation, ...]:
        """What it quotes, answers or reposts."""
        found = []
        for reference in list_of(record.get("referencedTweets")):
            fields = object_of(reference)
            kind = _RELATIONS.get(word_of(fields.get("type")))
            other, url = id_of(fields.get("id")), url_of(fields.get("url"))
            if kind and (other or url):
                found.append(Relation(kind[0], other, url))
        answered = id_of(record.get("inReplyToStatusId"))
        if answered and not any(relation.kind == "reply_to" for relation in found):
            found.append(Relation("reply_to", answered))
        return tuple(found)

    def attachments(self, record: Mapping[str, Any]) -> Sequence[Attachment]:
        """Photos, GIFs and videos in order."""
        media = [
            item if isinstance(item, dict) else {"mediaUrls": [item]}
            for item in items_of(record.get("media"))
        ]
        items = media or [{"mediaUrls": [item]} for item in items_of(record.get("mediaUrls"))]
        return [_attachment(item) for item in items]


def _unescaped(text: str) -> str:
    """Text with the entities of X resolved, once: `&amp;lt;` was written as `&lt;`."""
    return _ESCAPED.sub(lambda match: _CHARACTERS[match[1]], text) if "&" in text else text


_METRICS = MetricTable(_MEDIA_METRICS)


def _attachment(item: Mapping[str, Any]) -> Attachment:
    files = _files(item)
    preview = rendition_of("preview", item.get("previewImageUrl"))
    guess = kind_of_url(address_of(files[0])) if files else None
    kind = kind_of_word(word_of(item.get("type"))) or guess or ("image" if files else "video")
    return Attachment(
        kind,
        platform_id=first(item, ("mediaKey", "id"), id_of),
        alt_text=text_of(item.get("altText")),
        width=size_of(item.get("width")),
        height=size_of(item.get("height")),
        duration_ms=milliseconds(item.get("durationMs")),
        renditions=distinct((*(files or [original()]), preview)),
        metrics=_METRICS.read(item),
    )


def _files(item: Mapping[str, Any]) -> list[Rendition]:
    """The files of one attachment: the best first, then playlists, then URLs not understood."""
    entries = items_of(item.get("mediaUrls"))
    entries += [{key: item[key]} for key in ("mediaUrl", "url") if not is_blank(item.get(key))]
    found = [file for entry in entries if (file := _file(entry))]
    found.sort(key=_rank)
    return [
        file if index == 0 else replace(file, role="variant")
        for index, file in enumerate(found)
        if index == 0 or not file.absent
    ]


def _rank(file: Rendition) -> tuple[bool, bool, int]:
    is_playlist = _PLAYLIST in (file.content_type or "").lower()
    return file.absent is not None, is_playlist, -(file.bitrate or 0)


def _file(entry: object) -> Rendition | None:
    fields = object_of(entry) or {"mediaUrl": entry}
    word = fields.get("contentType")
    return rendition_of(
        "original",
        fields.get("mediaUrl"),
        fields.get("url"),
        content_type=text_of(word) if isinstance(word, str) else None,
        bitrate=fields.get("bitRate"),
    )


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """X, through Ayrshare."""
    return [Twitter()]
