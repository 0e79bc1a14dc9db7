"""Parsing a video or a comment of a Google Takeout into a post.

A record has the row of a table by the names of its columns, and which of them is what; until 2021,
the JSON of a video as YouTube's API writes it (https://developers.google.com/youtube/v3/docs/videos).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from archiver import Attachment, Extra, Post, RecordError, Relation, Rendition, timestamp
from archiver_exports.values import id_of, number_of, object_of, objects_of, size_of, text_of

_VISIBILITIES = frozenset({"public", "unlisted", "private"})
_DURATION = re.compile(r"P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", re.ASCII)
_UNDERSTOOD = re.compile(
    r"video id|channel id|video (?:title|description) \(original\)|privacy|video state|"
    r"video (?:create|publish) timestamp|approx duration \(ms\)|tag \d+|video audio language|"
    r"video category"
)


def read_record(record: Mapping[str, Any]) -> Post:
    """The post of a record of `YouTubeTakeout.records`. Raises RecordError."""
    values = _Values(record)
    if record.get("what") == "comment":
        return _comment(values)
    return _video_of_api(record) if record.get("what") == "api video" else _video(record, values)


class _Values:
    """The values of a row by what its columns hold."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.row = object_of(record.get("record"))
        self.columns = object_of(record.get("columns"))
        self.author = text_of(record.get("channel_title"))

    def __getitem__(self, what: str) -> str | None:
        name = self.columns.get(what)
        return text_of(self.row.get(name)) if isinstance(name, str) else None

    @property
    def tags(self) -> list[str]:
        """The tags of a video, in order."""
        names = [what for what in self.columns if what.startswith("tag ")]
        return [tag for what in names if (tag := self[what])]


def _video(record: Mapping[str, Any], values: _Values) -> Post:
    number = id_of(values["id"])
    if number is None:
        raise RecordError("The row has no id of a video")
    description = text_of(record.get("description")) or values["description"]
    return _post(
        record, number,
        created_at=timestamp(values["published"]) or timestamp(values["created"]),
        title=values["title"], text=description, visibility=values["privacy"],
        duration_ms=size_of(number_of(values["duration"])), tags=values.tags,
        author=values.author,
        unmapped=tuple(_unknown(values)) if "Video ID" in values.row else (),
    )  # fmt: skip


def _video_of_api(record: Mapping[str, Any]) -> Post:
    video = object_of(record.get("record"))
    snippet, status = object_of(video.get("snippet")), object_of(video.get("status"))
    number = id_of(video.get("id"))
    if number is None:
        raise RecordError("The video has no id")
    tags = snippet.get("tags")
    return _post(
        record, number, created_at=timestamp(snippet.get("publishedAt")),
        title=text_of(snippet.get("title")), text=text_of(snippet.get("description")),
        visibility=text_of(status.get("privacyStatus")),
        duration_ms=_duration_ms(object_of(video.get("contentDetails")).get("duration")),
        tags=[tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
        author=text_of(snippet.get("channelTitle")), unmapped=(),
    )  # fmt: skip


def _post(
    record: Mapping[str, Any], number: str, *, created_at: str | None, title: str | None,
    text: str | None, visibility: str | None, duration_ms: int | None, tags: list[str],
    author: str | None, unmapped: tuple[str, ...],
) -> Post:  # fmt: skip
    word = (visibility or "").strip().lower()
    content: dict[str, Any] = {"title": title, "text": text, "tags": tags}
    return Post(
        platform_id=number,
        created_at=created_at,
        kind="video",
        text=text,
        title=title,
        url=f"https://www.youtube.com/watch?v={number}",
        visibility=word if word in _VISIBILITIES else "unknown",
        author=author,
        attachments=(_film(record, number, duration_ms),),
        content={name: value for name, value in content.items() if value},
        unmapped=unmapped,
        extra=(Extra("privacy", visibility, is_content=False),)
        if visibility and word not in _VISIBILITIES
        else (),
    )


def _film(record: Mapping[str, Any], number: str, duration_ms: int | None) -> Attachment:
    """The film as it was uploaded, where the Takeout has it."""
    if member := text_of(record.get("film")):
        file = Rendition("original", member=member, media_key=number, duration_ms=duration_ms)
    else:
        file = Rendition("original", absent="not_offered")
    return Attachment("video", duration_ms=duration_ms, renditions=(file,))


def _unknown(values: _Values) -> Iterator[str]:
    for name, value in values.row.items():
        if value and not _UNDERSTOOD.fullmatch(name.strip().casefold()):
            yield name[:200]


def _duration_ms(value: object) -> int | None:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return size_of(1000 * (((days * 24 + hours) * 60 + minutes) * 60 + seconds))


def _comment(values: _Values) -> Post:
    number, video = id_of(values["id"]), id_of(values["video"])
    if number is None:
        raise RecordError("The row has no id of a comment")
    text = comment_text(values["text"] or "")
    page = f"https://www.youtube.com/watch?v={video}" if video else None
    answered = id_of(values["parent"]) or video
    url = f"{page}&lc={answered}" if page and answered != video else page
    return Post(
        platform_id=number,
        created_at=timestamp(values["created"]),
        kind="reply",
        text=text,
        url=f"{page}&lc={number}" if page else None,
        visibility="unknown",
        author=values.author,
        relations=(Relation("reply_to", answered, url),) if answered else (),
        content={"text": text} if text else {},
    )


def comment_text(written: str) -> str | None:
    """The text of a comment: an object with segments until 2024, then one object for each.

    >>> comment_text('{"text":"Hi "},{"text":"you"}')
    'Hi you'
    """
    decoder, at, pieces = json.JSONDecoder(strict=False), 0, []
    while at < len(written):
        try:
            value, end = decoder.raw_decode(written, at)
        except (ValueError, RecursionError):
            return written.strip() or None
        segments = objects_of(object_of(value).get("takeoutSegments")) or [object_of(value)]
        pieces += [text for each in segments if isinstance(text := each.get("text"), str)]
        at = end
        while at < len(written) and written[at] in ", \t\r\n":
            at += 1
    return "".join(pieces).strip() or None
