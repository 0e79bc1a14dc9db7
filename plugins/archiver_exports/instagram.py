"""Exports of Instagram as JSON, in each layout since 2018.

Until 2020 one `media.json` lists everything; since then there is a file for each kind of post
(`posts_1.json`, `reels.json`, …), in folders that change. A post has no id and no address. Files
are named by a number of 17 digits, which is the id of what the file was published as.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from archiver import (
    Account,
    ExportedPost,
    Extra,
    Identity,
    Kind,
    Package,
    Post,
    Recognition,
    Record,
    RecordError,
    timestamp,
)
from archiver_exports.meta import (
    MediaFiles,
    attachment_of,
    export_record,
    generated_id,
    media_number,
    refuse_html,
    repaired,
    time_of,
    username_of,
)
from archiver_exports.values import object_of, objects_of, text_of, unknown_keys

_POSTS = re.compile(r"(?:^|/)posts_(\d{1,6})\.json$")
_LISTS: dict[str, tuple[str, str, Kind]] = {
    "reels.json": ("ig_reels_media", "reels", "reel"),
    "stories.json": ("ig_stories", "stories", "story"),
    "igtv_videos.json": ("ig_igtv_media", "igtv", "video"),
    "archived_posts.json": ("ig_archived_post_media", "archived", "post"),
}
"""For each file the key of its list, its place in a record, and the kind of its posts."""
_OLD_LISTS: dict[str, Kind] = {"photos": "post", "videos": "post", "stories": "story"}
_KINDS: dict[str, Kind] = {place: kind for _, place, kind in _LISTS.values()} | _OLD_LISTS
_PRIVATE = {
    "message_1.json": "messages: private",
    "liked_posts.json": "likes and saved posts: posts of others",
    "other_content.json": "other_content.json: drafts, and what was not published",
    "profile_photos.json": "profile_photos.json: no posts",
    "reposts.json": "reposts.json: posts of others",
}
_HTML = ("posts_*.html", "reels.html", "stories.html", "personal_information.html")
_KNOWN_POST = frozenset({"media", "title", "creation_timestamp"})
_KNOWN_MEDIUM = frozenset(
    {
        "uri", "creation_timestamp", "title", "media_metadata", "cross_post_source", "backup_uri",
        "dubbing_info", "media_variants", "caption", "taken_at", "path", "location",
        "ai_stickers", "is_ai_generated",
    }
)  # fmt: skip


class InstagramExport:
    """An `archiver.ExportReader`; see there."""

    name = "instagram"
    title = "an export of Instagram as JSON"
    content_version = 1

    def recognize(self, package: Package) -> Recognition | None:
        """What it is, by the lists in its files."""
        posts = _posts_files(package)
        lists = [(name, key) for name, key, _ in _lists(package)]
        handle, title = username_of(package)
        if not (posts or lists or _old_files(package)):
            if not package.find("threads_and_replies.json"):
                refuse_html(package, _HTML, "Instagram")
            return None
        return Recognition(
            None if handle is None else Identity(
                "instagram", f"@{handle}".lower(), handle=handle, title=title,
                url=f"https://www.instagram.com/{handle}/",
            ),
            layout=_layout([*posts, *(name for name, _ in lists)]),
            missing=tuple(_missing(posts)),
            not_read=tuple(why for name, why in _PRIVATE.items() if package.find(name)),
        )  # fmt: skip

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:  # noqa: ARG002 — contract
        """The posts, each with the list that it is from."""
        files = MediaFiles(package)
        seen: set[str] = set()
        for record, place in _records(package):
            whole = export_record(record, files, place=place)
            key = _id_of(whole.data) or record.raw
            if key not in seen:
                seen.add(key)
                yield ExportedPost(whole)

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — contract
        """The post of a record. Raises RecordError."""
        return _read(record)


def _posts_files(package: Package) -> list[str]:
    """The files of ordinary posts, in order; other files of that name have no media."""
    return [
        name for name in package.find("posts_*.json")
        if _POSTS.search(name) and _has_media(next(package.records(name), None))
    ]  # fmt: skip


def _has_media(record: Record | None) -> bool:
    return record is not None and bool(objects_of(object_of(record.data).get("media")))


def _lists(package: Package) -> Iterator[tuple[str, str, str]]:
    """The other files of posts that are there, with the key of their list, and their place."""
    for pattern, (key, place, _) in _LISTS.items():
        for name in package.find(pattern):
            if next(package.records(name, key), None) is not None:
                yield name, key, place


def _old_files(package: Package) -> list[str]:
    """The lists of the layout until 2020."""
    return [name for name in package.find("media.json") if _old_items(package, name)]


def _old_items(package: Package, name: str) -> bool:
    for key in _OLD_LISTS:
        record = next(package.records(name, key), None)
        if record is not None and text_of(object_of(record.data).get("path")):
            return True
    return False


def _layout(names: list[str]) -> str:
    if any("your_instagram_activity/media/" in name for name in names):
        return "since 2024"
    if any("your_instagram_activity/" in name for name in names):
        return "2023 and 2024"
    return "2021 to 2023" if names else "until 2020"


def _missing(posts: list[str]) -> Iterator[str]:
    numbers = [int(match[1]) for name in posts if (match := _POSTS.search(name))]
    for number in range(1, max(numbers, default=0)):
        if number not in numbers:
            yield f"posts_{number}.json"


def _records(package: Package) -> Iterator[tuple[Record, str]]:
    for name in _posts_files(package):
        for record in package.records(name):
            yield record, "posts"
    for name, key, place in _lists(package):
        for record in package.records(name, key):
            yield record, place
    for name in _old_files(package):
        for key in _OLD_LISTS:
            for record in package.records(name, key):
                yield record, key


def _media(post: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files of a post; a story, and a post until 2020, is its only file itself."""
    is_file = bool(post.get("uri") or post.get("path"))
    return objects_of(post.get("media")) or ([dict(post)] if is_file else [])


def _time(post: Mapping[str, Any], media: list[dict[str, Any]]) -> str | None:
    """When it was published: a file of several may be older than its post."""
    for each in (post, *media):
        if at := time_of(each.get("creation_timestamp")) or timestamp(each.get("taken_at")):
            return at
    return None


def _text(post: Mapping[str, Any], media: list[dict[str, Any]]) -> str | None:
    for each in (post, *media):
        if text := text_of(each.get("title")) or text_of(each.get("caption")):
            return text
    return None


def _id_of(record: Mapping[str, Any]) -> str:
    post = repaired(object_of(record.get("record")))
    media = _media(post)
    uris = [uri for each in media if (uri := text_of(each.get("uri")) or text_of(each.get("path")))]
    numbers = [number for uri in uris if (number := media_number(uri))]
    first = uris[0] if uris else ""
    return generated_id(numbers, _time(post, media), _text(post, media), first)


def _read(record: Mapping[str, Any]) -> Post:
    post = repaired(object_of(record.get("record")))
    if not (platform_id := _id_of(record)):
        raise RecordError("The post has no id: neither a time, nor a file with an id in its name")
    place, files = record.get("place"), object_of(record.get("files"))
    media = _media(post)
    text = _text(post, media)
    attachments = [
        attachment_of(each, files, media_number(text_of(each.get("uri")) or "")) for each in media
    ]
    return Post(
        platform_id=platform_id,
        created_at=_time(post, media),
        kind=_KINDS.get(str(place), "post"),
        text=text,
        visibility="private" if place == "archived" else "unknown",
        attachments=tuple(each for each in attachments if each),
        content={"text": text},
        unmapped=tuple(_unmapped(post, media)),
        extra=tuple(_extra(post, media, place)),
    )


def _unmapped(post: Mapping[str, Any], media: list[dict[str, Any]]) -> Iterator[str]:
    yield from unknown_keys(post, _KNOWN_POST | _KNOWN_MEDIUM)
    if "media" in post:
        paths = (path for each in media for path in unknown_keys(each, _KNOWN_MEDIUM, "media[]."))
        yield from dict.fromkeys(paths)


def _extra(post: Mapping[str, Any], media: list[dict[str, Any]], place: object) -> Iterator[Extra]:
    if place == "archived":
        yield Extra("archived", value=True, is_content=False)
    apps = {text_of(object_of(each.get("cross_post_source")).get("source_app")) for each in media}
    if found := sorted(app for app in apps if app):
        yield Extra("posted_from", found, is_content=False)
    if place_name := text_of(post.get("location")):
        yield Extra("place", place_name, is_content=True)
