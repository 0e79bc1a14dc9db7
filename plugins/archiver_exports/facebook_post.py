"""The post of one record of a Facebook export.

The `title` of a record is a sentence that Facebook wrote, in the language of the account: it is
neither text nor kind. `update_timestamp` also stands where nothing was edited.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from archiver import Alias, Attachment, Extra, Post, RecordError
from archiver_exports.meta import attachment_of, generated_id, repaired, time_of
from archiver_exports.values import id_of, object_of, objects_of, text_of, unknown_keys, url_of

_FOLDER = re.compile(r"^(?:your_|this_profile)[^/]*activity[^/]*/")
_NUMBER = re.compile(r"(\d{5,20})\.\w+$|\d+_(\d{5,20})_\d+_[a-z]\.\w+$", re.ASCII)
_MENTION = re.compile(r"@\[\d+:(?:\d+:)?([^\]\n]{1,200})\]", re.ASCII)
_KNOWN_POST = frozenset(
    {"timestamp", "title", "data", "attachments", "tags", "fbid", "media", "label_values"}
)
_KNOWN_DATA = frozenset({"post", "update_timestamp", "backdated_timestamp"})
_KNOWN_ATTACHED = frozenset(
    {"media", "external_context", "place", "text", "name", "event", "poll", "life_event"}
)
_KNOWN_MEDIUM = frozenset(
    {
        "uri", "creation_timestamp", "title", "description", "media_metadata", "thumbnail",
        "comments", "backup_uri", "upload_timestamp", "cross_post_source",
    }
)  # fmt: skip


def media_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The photos and films of a post, in order and each once; a file that is a post is its own."""
    listed = [
        *(object_of(each.get("media")) for each in _attached(record)),
        *objects_of(record.get("media")),
        *([dict(record)] if record.get("uri") else []),
    ]
    found: dict[str, dict[str, Any]] = {}
    for medium in listed:
        if key := file_key(medium):
            found.setdefault(key, medium)
    return list(found.values())


def fbid_of(medium: Mapping[str, Any]) -> str | None:
    """The number of a photo or film, which the name of its file has.

    It is the whole name, and was the middle one of its numbers before 2023.
    """
    match = _NUMBER.search(_last_step(medium))
    return (match[2] or match[1]) if match else None


def file_key(medium: Mapping[str, Any]) -> str:
    """What names a file in every list of an export: its number, else its path."""
    return fbid_of(medium) or _FOLDER.sub("", text_of(medium.get("uri")) or "")


def _last_step(medium: Mapping[str, Any]) -> str:
    return (text_of(medium.get("uri")) or "").rpartition("/")[2]


def id_of_record(whole: Mapping[str, Any]) -> str:
    """The id of a post, made of what never changes of it; empty where it has nothing of that."""
    return _Parts(whole).platform_id


def read_facebook_post(whole: Mapping[str, Any]) -> Post:
    """The post of a record, as it was taken from its package. Raises RecordError."""
    parts = _Parts(whole)
    if not parts.platform_id:
        raise RecordError("The post has no id: neither a time, nor a file with an id in its name")
    files = object_of(whole.get("files"))
    found = [attachment_of(each, files, fbid_of(each), fbid_of(each)) for each in parts.media]
    links = [Attachment("link", platform_id=link) for link in parts.links]
    fbid = id_of(parts.post.get("fbid"))
    content: dict[str, Any] = {"text": parts.text}
    if parts.links:
        content["links"] = parts.links
    return Post(
        platform_id=parts.platform_id,
        created_at=parts.time,
        kind="story" if parts.place == "story" else "post",
        text=parts.text,
        visibility="private" if parts.place == "archived" else "unknown",
        aliases=(Alias("post_id", fbid),) if fbid else (),
        attachments=(*(each for each in found if each), *links),
        content=content,
        unmapped=tuple(dict.fromkeys(_unmapped(parts))),
        extra=tuple(_extra(parts, whole)),
    )


class _Parts:
    """What a record has, found and repaired."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self.post: dict[str, Any] = repaired(object_of(whole.get("record")))
        self.place = text_of(whole.get("place"))
        self.data = objects_of(self.post.get("data"))
        self.attached = list(_attached(self.post))
        self.media = media_of(self.post)
        self.links = list(dict.fromkeys(_links(self.attached)))
        self.captions = [text_of(each.get("description")) for each in self.media]
        self.time = _time(self.post, self.media)
        self.text = _text(self.data) or (self.captions[0] if len(self.media) == 1 else None)
        if self.text:
            self.text = _MENTION.sub(r"\1", self.text)
        numbers = [] if whole.get("again") else [n for n in map(fbid_of, self.media) if n]
        first = _last_step(self.media[0]) if self.media else " ".join(self.links)
        self.platform_id = generated_id(numbers, self.time, self.text, first)


def _attached(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in objects_of(record.get("attachments")):
        yield from objects_of(each.get("data"))


def _time(post: Mapping[str, Any], media: Sequence[Mapping[str, Any]]) -> str | None:
    times = [post.get("timestamp"), *(each.get("creation_timestamp") for each in (post, *media))]
    return next((at for at in map(time_of, times) if at), None)


def _text(data: Sequence[Mapping[str, Any]]) -> str | None:
    texts = [text for each in data if (text := text_of(each.get("post")))]
    return "\n".join(dict.fromkeys(texts)) or None


def _links(attached: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in attached:
        url = url_of(object_of(each.get("external_context")).get("url"))
        if url and urlsplit(url).scheme in {"http", "https"}:
            yield url


def _unmapped(parts: _Parts) -> Iterator[str]:
    known = _KNOWN_MEDIUM | (_KNOWN_POST if parts.place != "file" else frozenset())
    yield from unknown_keys(parts.post, known)
    if parts.post.get("label_values"):
        yield "label_values"  # names of fields in the language of the account
    for each in parts.data:
        yield from unknown_keys(each, _KNOWN_DATA, "data[].")
    for each in parts.attached:
        yield from unknown_keys(each, _KNOWN_ATTACHED, "attachments[].data[].")
    if parts.place != "file":
        for each in parts.media:
            yield from unknown_keys(each, _KNOWN_MEDIUM, "media.")


def _extra(parts: _Parts, whole: Mapping[str, Any]) -> Iterator[Extra]:
    if parts.place == "archived":
        yield Extra("archived", value=True, is_content=False)
    albums = [name for name in whole.get("albums") or () if text_of(name)]
    if not albums:  # a photo has the name of its album as its title
        images = (each for each in parts.media if "photo_metadata" in _metadata(each))
        albums = sorted({title for each in images if (title := text_of(each.get("title")))})
    if albums:
        yield Extra("albums", albums, is_content=False)
    captions = [each for each in parts.captions if each and _MENTION.sub(r"\1", each) != parts.text]
    if captions:
        yield Extra("captions", captions, is_content=True)
    if tagged := [name for each in objects_of(parts.post.get("tags"))
                  if (name := text_of(each.get("name")))]:  # fmt: skip
        yield Extra("tagged", tagged, is_content=False)
    yield from _extra_of_attached(parts.attached)


def _metadata(medium: Mapping[str, Any]) -> Mapping[str, Any]:
    return object_of(medium.get("media_metadata"))


def _extra_of_attached(attached: Sequence[Mapping[str, Any]]) -> Iterator[Extra]:
    """Places, groups, polls and events, of which a post has one each."""
    names = (("place", True), ("event", True), ("poll", True), ("life_event", True))
    for name, is_content in names:
        found = next((object_of(each[name]) for each in attached if each.get(name)), None)
        value = _said(found) if name != "place" else text_of(object_of(found).get("name"))
        if value:
            yield Extra(name, value, is_content=is_content)
    if group := next((text for each in attached if (text := text_of(each.get("name")))), None):
        yield Extra("group", group, is_content=False)
    texts = [text for each in attached if (text := text_of(each.get("text")))]
    if texts:
        yield Extra("attached_texts", texts, is_content=True)
    titles = [object_of(each.get("external_context")).get("name") for each in attached]
    if titles := [title for each in titles if (title := text_of(each))]:
        yield Extra("link_titles", titles, is_content=False)


def _said(value: Any) -> Any:
    """A value without what is empty or no whole number."""
    if isinstance(value, dict):
        kept = {key: _said(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, "", [], {})}
    if isinstance(value, list):
        return [kept for item in value if (kept := _said(item)) not in (None, "", [], {})]
    return None if isinstance(value, float) else value
