"""Posts of Threads, which are in the export of Instagram: `threads_and_replies.json`."""

from collections.abc import Iterator, Mapping
from typing import Any

from archiver import (
    Account,
    ExportedPost,
    Extra,
    Identity,
    Package,
    Post,
    Recognition,
    Record,
    RecordError,
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

_FILES = {
    "threads_and_replies.json": "text_post_app_text_posts",
    "archived_threads.json": "text_post_app_text_app_archived_posts",
}
_ARCHIVED = "archived_threads.json"
_HTML = ("threads_and_replies.html",)
_PRIVATE = {
    "liked_threads.json": "liked_threads.json: posts of others",
    "saved_threads.json": "saved_threads.json: posts of others",
}
_KNOWN_POST = frozenset({"media", "title", "creation_timestamp"})
_KNOWN_MEDIUM = frozenset(
    {
        "uri", "creation_timestamp", "title", "media_metadata", "cross_post_source", "backup_uri",
        "text_app_post", "dubbing_info", "media_variants",
    }
)  # fmt: skip
_KNOWN_APP_POST = frozenset(
    {"reply_control", "geo_gated_country_list", "is_reply", "in_reply_to_username"}
)


class ThreadsExport:
    """An `archiver.ExportReader`; see there."""

    name = "threads"
    title = "posts of Threads in an export of Instagram as JSON"
    content_version = 1

    def recognize(self, package: Package) -> Recognition | None:
        """What it is, by the list of its posts."""
        if next(_records(package), None) is None:
            refuse_html(package, _HTML, "Threads")
            return None
        handle, title = username_of(package)
        return Recognition(
            None if handle is None else Identity(
                "threads", f"@{handle}".lower(), handle=handle, title=title,
                url=f"https://www.threads.com/@{handle}",
            ),
            layout="threads_and_replies.json",
            not_read=tuple(why for name, why in _PRIVATE.items() if package.find(name)),
        )  # fmt: skip

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:  # noqa: ARG002 — contract
        """The posts and replies."""
        files = MediaFiles(package)
        seen: set[str] = set()
        for record, is_archived in _records(package):
            whole = export_record(record, files, archived=is_archived)
            key = _id_of(whole.data) or record.raw
            if key not in seen:
                seen.add(key)
                yield ExportedPost(whole)

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — contract
        """The post of a record. Raises RecordError."""
        return _read(record)


def _records(package: Package) -> Iterator[tuple[Record, bool]]:
    """The records of all files, with whether each is archived."""
    for pattern, key in _FILES.items():
        for name in package.find(pattern):
            for record in package.records(name, key):
                yield record, pattern == _ARCHIVED


def _parts(record: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]], str | None]:
    """The post, its media, and its text: it stands at the post, at a medium, or at both."""
    post = repaired(object_of(record.get("record")))
    media = objects_of(post.get("media"))
    text = next((text for each in (post, *media) if (text := text_of(each.get("title")))), None)
    return post, media, text


def _time(post: Mapping[str, Any], media: list[dict[str, Any]]) -> str | None:
    times = (time_of(each.get("creation_timestamp")) for each in (post, *media))
    return next((at for at in times if at), None)


def _id_of(record: Mapping[str, Any]) -> str:
    post, media, text = _parts(record)
    uris = [uri for each in media if (uri := text_of(each.get("uri")))]
    numbers = [number for uri in uris if (number := media_number(uri))]
    return generated_id(numbers, _time(post, media), text, uris[0] if uris else "")


def _read(record: Mapping[str, Any]) -> Post:
    post, media, text = _parts(record)
    if not (platform_id := _id_of(record)):
        raise RecordError("The post has no id: neither a time, nor a file with an id in its name")
    files = object_of(record.get("files"))
    attachments = [
        attachment_of(each, files, media_number(text_of(each.get("uri")) or "")) for each in media
    ]
    found = (object_of(each.get("text_app_post")) for each in media)
    app_post: dict[str, Any] = next((each for each in found if each), {})
    return Post(
        platform_id=platform_id,
        created_at=_time(post, media),
        kind="reply" if app_post.get("is_reply") is True else "post",
        text=text,
        visibility="private" if record.get("archived") else "unknown",
        attachments=tuple(each for each in attachments if each),
        content={"text": text},
        unmapped=tuple(_unmapped(post, media, app_post)),
        extra=tuple(_extra(app_post, is_archived=bool(record.get("archived")))),
    )


def _unmapped(
    post: Mapping[str, Any], media: list[dict[str, Any]], app_post: Mapping[str, Any]
) -> Iterator[str]:
    yield from unknown_keys(post, _KNOWN_POST)
    paths = (path for each in media for path in unknown_keys(each, _KNOWN_MEDIUM, "media[]."))
    yield from dict.fromkeys(paths)
    yield from unknown_keys(app_post, _KNOWN_APP_POST, "media[].text_app_post.")


def _extra(app_post: Mapping[str, Any], *, is_archived: bool) -> Iterator[Extra]:
    """Who may reply, which says nothing about who may read; and who was answered."""
    if control := text_of(app_post.get("reply_control")):
        yield Extra("who_may_reply", control, is_content=False)
    if answered := text_of(app_post.get("in_reply_to_username")):
        yield Extra("in_reply_to", answered, is_content=False)
    if is_archived:
        yield Extra("archived", value=True, is_content=False)
