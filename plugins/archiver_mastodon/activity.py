"""Parsing one activity of an account's archive (https://www.w3.org/TR/activitystreams-vocabulary/).

Ids and the numbers of media are those of the API, so that a post of an archive is that of the API.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from archiver import (
    Alias,
    Attachment,
    AttachmentKind,
    Extra,
    Kind,
    Metric,
    Post,
    RecordError,
    Relation,
    Rendition,
)
from archiver_mastodon.html_text import PlainText, plain_text
from archiver_mastodon.values import (
    count_of,
    object_of,
    objects_of,
    size_of,
    text_of,
    time_of,
    uri_of,
    url_of,
)

_PUBLIC = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
_MEDIA_ID = re.compile(r"media_attachments/files/((?:\d{1,3}/)+)(?:original|small)/([^/?]+)")
_DURATION = re.compile(r"P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", re.ASCII)
_KINDS: dict[str, AttachmentKind] = {"image": "image", "video": "video", "audio": "audio"}
_OBJECTS = frozenset({"Note", "Question", "Article", "Page", "Image", "Video", "Audio", "Event"})
_ACTIVITY = frozenset(
    {"@context", "id", "type", "actor", "published", "to", "cc", "object", "signature"}
)
_OBJECT = frozenset(
    {
        "@context", "id", "type", "summary", "inReplyTo", "published", "updated", "url",
        "attributedTo", "to", "cc", "sensitive", "atomUri", "inReplyToAtomUri", "conversation",
        "context", "content", "contentMap", "summaryMap", "attachment", "tag", "replies", "likes",
        "shares", "oneOf", "anyOf", "endTime", "closed", "votersCount", "quote", "quoteUri",
        "quoteUrl", "_misskey_quote", "quoteAuthorization", "interactionPolicy", "directMessage",
        "localOnly", "name",
    }
)  # fmt: skip


def read_activity(record: Mapping[str, Any]) -> Post:
    """The post of a record of `MastodonExport.records`. Raises RecordError."""
    activity = object_of(record.get("activity"))
    if activity.get("type") == "Announce":
        return _boost(activity)
    note = object_of(activity.get("object"))
    uri = uri_of(note.get("id"))
    if uri is None or note.get("type") not in _OBJECTS:
        raise RecordError("The activity has no post")
    quoted = next(
        (u for key in ("quote", "quoteUri", "quoteUrl") if (u := uri_of(note.get(key)))), None
    )
    content = note.get("content")
    words = plain_text(
        content if isinstance(content, str) else "", quote_is_known=quoted is not None
    )
    relations = tuple(_relations(note, quoted, text_of(record.get("host"))))
    return Post(
        platform_id=_last(uri),
        created_at=time_of(note.get("published")) or time_of(activity.get("published")),
        kind=_kind(relations),
        text=words.text or None,
        url=url_of(note.get("url")) or url_of(uri),
        visibility=audience_of(activity),
        author=_author(activity),
        edited_at=time_of(note.get("updated")),
        aliases=(Alias("uri", uri),),
        relations=relations,
        metrics=tuple(_metrics(note)),
        attachments=tuple(_attachments(note, words, object_of(record.get("files")))),
        content=_content(note, words),
        unmapped=tuple(_unmapped(activity, _ACTIVITY, "") + _unmapped(note, _OBJECT, "object.")),
        extra=tuple(_extra(note, words)),
    )


def audience_of(activity: Mapping[str, Any]) -> str:
    """The visibility of a post, in the API's words; `direct` for a private message."""
    note = object_of(activity.get("object"))
    to, cc = ({*_uris(activity.get(name)), *_uris(note.get(name))} for name in ("to", "cc"))
    if to & _PUBLIC:
        return "public"
    if cc & _PUBLIC:
        return "unlisted"
    return "private" if any(uri.endswith("/followers") for uri in to | cc) else "direct"


def files_named(activity: Mapping[str, Any]) -> Iterator[str]:
    """The addresses of the media of a post, as the archive writes them: paths in it."""
    for item in objects_of(object_of(activity.get("object")).get("attachment")):
        if isinstance(url := item.get("url"), str):
            yield url


def _uris(value: object) -> list[str]:
    found = value if isinstance(value, list) else [value]
    return [uri for uri in found if isinstance(uri, str)]


def _last(uri: str) -> str:
    """The last part of an id, which is the API's id of the post."""
    return urlsplit(uri).path.rstrip("/").rpartition("/")[2] or uri


def _author(activity: Mapping[str, Any]) -> str | None:
    actor = uri_of(activity.get("actor"))
    host = urlsplit(actor).hostname if actor else None
    return f"{_last(actor)}@{host}" if actor and host else None


def _boost(activity: Mapping[str, Any]) -> Post:
    """A repost; the archive has only the id of the original, unless it is the account's own."""
    uri = uri_of(activity.get("id"))
    if uri is None:
        raise RecordError("The boost has no id")
    own = uri.removesuffix("/activity")
    given = activity.get("object")
    note = object_of(given)
    original = uri_of(given) or uri_of(note.get("id"))
    return Post(
        platform_id=_last(own),
        created_at=time_of(activity.get("published")),
        kind="repost",
        url=url_of(own),
        visibility=audience_of(activity),
        author=_author(activity),
        aliases=(Alias("uri", own),),
        relations=(Relation("reposts", None, url_of(note.get("url")) or url_of(original)),)
        if original
        else (),
        content={"reposts": original},
        unmapped=tuple(_unmapped(activity, _ACTIVITY, "")),
    )


def _kind(relations: tuple[Relation, ...]) -> Kind:
    kinds = {relation.kind for relation in relations}
    return "reply" if "reply_to" in kinds else "quote" if "quotes" in kinds else "post"


def _relations(note: Mapping[str, Any], quoted: str | None, host: str | None) -> Iterator[Relation]:
    """What it answers and quotes; a post of the same server has its id there."""
    for kind, uri in (("reply_to", uri_of(note.get("inReplyTo"))), ("quotes", quoted)):
        if uri is not None:
            is_own = host is not None and urlsplit(uri).hostname == host
            yield Relation(kind, _last(uri) if is_own else None, url_of(uri))  # type: ignore[arg-type]  # one of the two words


def _metrics(note: Mapping[str, Any]) -> Iterator[Metric]:
    for key, name in (("likes", "likes"), ("shares", "reposts")):
        if (count := count_of(object_of(note.get(key)).get("totalItems"))) is not None:
            yield Metric(name, count)
    if (count := count_of(note.get("votersCount"))) is not None:
        yield Metric("poll.voters", count)
    for index, option in enumerate(_options(note), start=1):
        if (count := count_of(object_of(option.get("replies")).get("totalItems"))) is not None:
            yield Metric(f"poll.option_{index}", count)


def _options(note: Mapping[str, Any]) -> list[dict[str, Any]]:
    return (objects_of(note.get("oneOf")) or objects_of(note.get("anyOf")))[:100]


def _content(note: Mapping[str, Any], words: PlainText) -> dict[str, Any]:
    languages = sorted(object_of(note.get("contentMap")))
    found: dict[str, Any] = {"text": words.text, "languages": languages}
    return {name: value for name, value in found.items() if value}


def _attachments(
    note: Mapping[str, Any], words: PlainText, files: Mapping[str, Any]
) -> Iterator[Attachment]:
    items = objects_of(note.get("attachment"))
    for item in items:
        yield _attachment(item, files)
    if not items and words.links:
        yield Attachment("link", platform_id=words.links[0])


def _attachment(item: Mapping[str, Any], files: Mapping[str, Any]) -> Attachment:
    address, mime = text_of(item.get("url")) or "", text_of(item.get("mediaType"))
    width, height = size_of(item.get("width")), size_of(item.get("height"))
    number, base = _media_id(address)
    member = text_of(files.get(address)) or address.lstrip("/")
    file = (
        Rendition("original", member=member, media_key=base, content_type=mime, width=width,
                  height=height)
        if member
        else Rendition("original", absent="not_offered")
    )  # fmt: skip
    return Attachment(
        _KINDS.get((mime or "").partition("/")[0], "other"),
        platform_id=number,
        alt_text=text_of(item.get("name")),
        width=width,
        height=height,
        duration_ms=_duration_ms(item.get("duration")),
        renditions=(file,),
    )


def _media_id(address: str) -> tuple[str | None, str]:
    """The API's id of a file and its name: `…/files/111/222/333/original/ab.png` is 111222333."""
    if match := _MEDIA_ID.search(address):
        number = match[1].replace("/", "").lstrip("0")
        return number, f"{number}-{match[2]}"
    return None, address.rpartition("/")[2]


def _duration_ms(value: object) -> int | None:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return size_of(1000 * (((days * 24 + hours) * 60 + minutes) * 60 + seconds))


def _extra(note: Mapping[str, Any], words: PlainText) -> Iterator[Extra]:
    if warning := text_of(note.get("summary")):
        yield Extra("content_warning", warning, is_content=True)
    if note.get("sensitive") is True:
        yield Extra("sensitive", True, is_content=True)
    if options := _options(note):
        titles = [text_of(option.get("name")) or "" for option in options]
        yield Extra("poll", titles, is_content=True)
        rules: dict[str, str | bool] = {"multiple": not objects_of(note.get("oneOf"))}
        if end := time_of(note.get("endTime")):
            rules["expires_at"] = end
        yield Extra("poll_rules", rules, is_content=False)
    tags = objects_of(note.get("tag"))
    about: dict[str, list[str | None]] = {
        "mentions": [text_of(t.get("name")) for t in tags if t.get("type") == "Mention"],
        "hashtags": [text_of(t.get("name")) for t in tags if t.get("type") == "Hashtag"],
        "links": list(words.links),
    }
    for name, items in about.items():
        if found := [item.lstrip("@#") for item in items if item]:
            yield Extra(name, found, is_content=False)


def _unmapped(found: Mapping[str, Any], known: frozenset[str], path: str) -> list[str]:
    return [f"{path}{key}"[:200] for key, value in found.items()
            if key not in known and value not in (None, "", [], {})]  # fmt: skip
