"""X: posts, replies, quotes and reposts, with the numbers of each medium.

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
    AttachmentKind,
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
from archiver_ayrshare.client import AyrshareClient
from archiver_ayrshare.fields import Fields
from archiver_ayrshare.media import distinct, items_of, kind_of_url, kind_of_word, original, still
from archiver_ayrshare.options import ProfileOptions, TwitterOptions
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.reader import MetricTable
from archiver_ayrshare.values import (
    first,
    id_of,
    list_of,
    milliseconds,
    object_of,
    size_of,
    text_of,
    url_of,
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
_MEDIA = {
    "mediaKey": "platform_id",
    "id": "platform_id",
    "type": "kind",
    "altText": "alt_text",
    "width": "width",
    "height": "height",
    "durationMs": "duration_ms",
    "previewImageUrl": "preview",
    "mediaUrl": "original",
    "url": "original",
    "mediaUrls[]": "original",
    "mediaUrls[].mediaUrl": "original: the highest bitrate; variant: the others",
    "mediaUrls[].url": "as mediaUrls[].mediaUrl",
    "mediaUrls[].bitRate": "bitrate",
    "mediaUrls[].contentType": "content_type",
    **{path: f"metrics: {name}" for path, name in _MEDIA_METRICS.items()},
}
_PLAYLIST = "mpegurl"
_RELATIONS: dict[str, tuple[RelationKind, Kind]] = {
    "retweeted": ("reposts", "repost"),
    "replied_to": ("reply_to", "reply"),
    "quoted": ("quotes", "quote"),
}
_HANDLE = re.compile(r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/(\w+)/status", re.ASCII)


_HANDLE_ONLY = (
    "The posts do not say whose they are, and a handle can pass to somebody else: give user_id "
    "in place of user_name"
)


class Twitter(AyrsharePlatform):
    """X, which the API calls `twitter`."""

    name = "twitter"
    options: type[ProfileOptions] = TwitterOptions
    fields = Fields(
        aliases={"editHistoryTweetIds[]": "edit_history"},
        metrics={
            f"{group}.{count}": prefix + name
            for group, prefix in _GROUPS.items()
            for count, name in _COUNTS.items()
        },
        relations={
            "referencedTweets[].type": "quoted, replied_to or retweeted",
            "referencedTweets[].id": "platform_id",
            "referencedTweets[].url": "url",
            "inReplyToStatusId": "reply_to",
        },
        attachments={
            **{f"media[].{path}": words for path, words in _MEDIA.items()},
            "mediaUrls[]": "original, where there is no media[]",
            "mediaUrls[].mediaUrl": "original, where there is no media[]",
        },
        words={"referencedTweets[].type": frozenset(_RELATIONS)},
        content={
            "urls[].expandedUrl": "links",
            "replySettings": "reply_settings",
            "poll.*": "poll",
        },
        raw_only={
            "authorId": "the account says it",
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
        """The account's records, newest first; a note where only a handle says whose they are.

        Raises SourceError, SecretError.
        """
        handle = getattr(account.options, "handle", None)
        async for page in super().pages(client, account, window):
            is_anyones = handle and page.records and author_of(page.records) is None
            yield replace(page, notes=(*page.notes, _HANDLE_ONLY)) if is_anyones else page

    def kind(self, record: Mapping[str, Any]) -> Kind:
        """A repost before a reply before a quote; old answers tell reposts by their text alone."""
        kinds = {relation.kind for relation in self.relations(record)}
        for relation, kind in _RELATIONS.values():
            if relation in kinds:
                return kind
        return "repost" if (self.reader.text(record) or "").startswith("RT @") else "post"

    def author(self, record: Mapping[str, Any], url: str | None) -> str | None:
        """The handle, from the post's URL where nothing else says it."""
        match = _HANDLE.match(url) if url else None
        return self.reader.author(record) or (match[1] if match else None)

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
        media = [item for item in list_of(record.get("media")) if isinstance(item, dict)]
        items = media or [{"mediaUrls": [item]} for item in items_of(record.get("mediaUrls"))]
        return [_attachment(item) for item in items]


_METRICS = MetricTable(_MEDIA_METRICS)


def _attachment(item: Mapping[str, Any]) -> Attachment:
    files = _files(item)
    preview = still("preview", item.get("previewImageUrl"))
    guess: AttachmentKind | None = kind_of_url(files[0].url) if files else None
    kind = kind_of_word(word_of(item.get("type"))) or guess or ("image" if files else "video")
    return Attachment(
        kind,
        platform_id=first(item, ("mediaKey", "id"), id_of),
        alt_text=text_of(item.get("altText")),
        width=size_of(item.get("width")),
        height=size_of(item.get("height")),
        duration_ms=milliseconds(item.get("durationMs")),
        renditions=distinct((*(files or [original(None)]), preview)),
        metrics=_METRICS.read(item),
    )


def _files(item: Mapping[str, Any]) -> list[Rendition]:
    """The files of one medium, the best first, a playlist last."""
    entries = items_of(item.get("mediaUrls"))
    entries += [{"mediaUrl": item[key]} for key in ("mediaUrl", "url") if url_of(item.get(key))]
    found = [file for entry in entries if (file := _file(entry))]
    found.sort(
        key=lambda file: (_PLAYLIST in (file.content_type or "").lower(), -(file.bitrate or 0))
    )
    return [
        Rendition(
            "original" if index == 0 else "variant",
            url=file.url,
            content_type=file.content_type,
            bitrate=file.bitrate,
        )
        for index, file in enumerate(found)
    ]


def _file(entry: object) -> Rendition | None:
    fields = object_of(entry) or {"mediaUrl": entry}
    url = first(fields, ("mediaUrl", "url"), url_of)
    if url is None:
        return None
    return Rendition(
        "original",
        url=url,
        content_type=text_of(fields.get("contentType")),
        bitrate=size_of(fields.get("bitRate")),
    )


@hookimpl
def archiver_platforms() -> Sequence[Platform]:
    """X, through Ayrshare."""
    return [Twitter()]
