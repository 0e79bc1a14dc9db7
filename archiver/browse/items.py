"""What is attached to posts: attachments with their renditions, or with the reasons of absence."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from archiver.browse.text import duration, short_time
from archiver.browse.thumbnailer import fitted
from archiver.browse.thumbs import SIZES

_EXTREME = 2.2  # times as wide as high, or the other way
_SMALL = 480  # pixels
SUBTITLES = "subtitles"
_STILL_ROLES = ("thumbnail", "cover", "preview")
_THUMBNAILED = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""Types that Pillow makes thumbnails of."""


@dataclass(frozen=True)
class File:
    """One rendition with its media file, or the reason why there is none.

    `size` is in bytes, `width` and `height` in pixels, `bitrate` in bit/s.
    """

    id: int
    role: str
    state: str
    reason_code: str | None
    reason: str | None
    tries: int
    next_try_at: str | None
    sha256: str | None
    size: int | None
    content_type: str | None
    width: int | None
    height: int | None
    duration_ms: int | None
    bitrate: int | None = None
    url: str | None = None
    path: str | None = None  # in the archive's folder
    made: str = ""  # how it was made here, where nobody served it as it is
    language: str = ""  # of subtitles, by the source's word
    label: str = ""  # what the source calls these subtitles

    @property
    def group(self) -> str:
        """image, video, audio, or application."""
        return (self.content_type or "").partition("/")[0]

    @property
    def has_thumbnail(self) -> bool:
        """Whether a thumbnail can be made of it."""
        return self.sha256 is not None and self.content_type in _THUMBNAILED

    def thumbnail_width(self, size: str) -> int:
        """The width of its thumbnail of that size, in pixels; 0 where it is not known."""
        if not (self.width and self.height):
            return 0
        return fitted(self.width, self.height, *SIZES[size])[0]

    @property
    def why(self) -> str:
        """Why the file is missing, as a sentence for people; empty when we hold it."""
        return absence(self.state, self.reason_code, self.reason, self.next_try_at)


@dataclass(frozen=True)
class Item:
    """One attachment with its renditions."""

    id: int
    post_id: int
    position: int
    kind: str
    alt: str | None
    width: int | None
    height: int | None
    duration_ms: int | None
    omitted: bool
    first_revision: int | None
    last_revision: int | None
    files: tuple[File, ...]

    @cached_property
    def main(self) -> File | None:
        """The original or a variant, where we hold one; of several variants, the largest."""
        own = [file for file in self.files if file.role in {"original", "variant"}]
        held = [file for file in own if file.sha256 and file.state == "stored"]
        return max(held, key=lambda file: (file.role == "original", file.size or 0), default=None)

    @cached_property
    def still(self) -> File | None:
        """A picture of it: the main file if that is one, else a still from the platform."""
        if self.main and self.main.has_thumbnail:
            return self.main
        held = [file for file in self.files if file.has_thumbnail and file.role in _STILL_ROLES]
        return min(held, key=lambda file: _STILL_ROLES.index(file.role), default=None)

    @property
    def shown(self) -> str:
        """How to show it: video, audio, image, still (we hold only a picture of it), or nothing."""
        if self.main and self.main.group in {"video", "audio"}:
            return self.main.group
        if self.main and self.main.has_thumbnail:
            return "image"
        return "still" if self.still else "nothing"

    @property
    def time(self) -> str:
        """Its duration, read from the file, else as the platform states it."""
        own = self.main.duration_ms if self.main else None
        return duration(own or self.duration_ms)

    @property
    def subtitles(self) -> list[File]:
        """The subtitles of a video that we hold."""
        held = [file for file in self.files if file.role == SUBTITLES and file.sha256]
        return [file for file in held if file.content_type == "text/vtt"]

    @property
    def missing(self) -> str:
        """Why we hold no main file; empty when we do, and for links."""
        if self.main or self.kind == "link":
            return ""
        wanted = [file for file in self.files if file.role in {"original", "variant"}]
        return next((file.why for file in wanted if file.why), "")

    @property
    def not_offered(self) -> bool:
        """Whether the source never gives such a file: nothing went wrong."""
        wanted = [file for file in self.files if file.role in {"original", "variant"}]
        return bool(wanted) and all(file.state == "not_offered" for file in wanted)

    @property
    def absent_video(self) -> str:
        """What became of a video of which we hold a still only: `video not offered`."""
        if self.shown != "still" or self.kind != "video":
            return ""
        wanted = [file.state for file in self.files if file.role in {"original", "variant"}]
        state = next((state for state in wanted if state != "stored"), "not_offered")
        return f"video {_SHORT_STATES.get(state, 'missing')}"

    @property
    def label(self) -> str:
        """Its text for screen readers."""
        return self.alt or f"{self.kind}, without a description"

    @property
    def box(self) -> tuple[int, int] | None:
        """Width and height to reserve for it on a page, in pixels; of a video, its own."""
        stated = (self, self.still) if self.shown == "video" else (self.still, self)
        for sized in (self.main, *stated):
            if sized and sized.width and sized.height:
                return sized.width, sized.height
        return None

    @property
    def shape(self) -> str:
        """`wide` or `tall` where a square would cut away most of it, `small` where a card is wider.

        Empty for other shapes, and where the size is not known.
        """
        width, height = self.box or (_SMALL, _SMALL)
        if max(width, height) < _SMALL:
            return "small"
        if max(width, height) <= _EXTREME * min(width, height):
            return ""
        return "wide" if width > height else "tall"


_ITEMS = """
    SELECT id, post_id, position, kind, alt_text AS alt, width, height, duration_ms,
           omitted, first_revision, last_revision
      FROM attachments WHERE post_id IN (SELECT value FROM json_each(?))
     ORDER BY post_id, position, id
"""
_FILES = """
    SELECT renditions.*, media.size, media.content_type AS media_type, media.width AS media_width,
           media.height AS media_height, media.duration_ms, media.path
      FROM renditions LEFT JOIN media ON sha256 = media_sha256
     WHERE attachment_id IN (SELECT value FROM json_each(?)) ORDER BY renditions.id
"""


def items(connection: sqlite3.Connection, posts: Sequence[int]) -> dict[int, list[Item]]:
    """Every attachment of any revision of these posts, in order, by post id."""
    rows = connection.execute(_ITEMS, (json.dumps(list(posts)),)).fetchall()
    files = defaultdict(list)
    found_files = connection.execute(_FILES, (json.dumps([row["id"] for row in rows]),)).fetchall()
    made = _made_here(connection, {row["media_sha256"] for row in found_files} - {None})
    words = _words_of_subtitles(
        connection, [row["id"] for row in found_files if row["role"] == SUBTITLES]
    )
    for row in found_files:
        file = _file(row, made.get(row["media_sha256"], ""))
        if row["id"] in words:
            language, label = words[row["id"]]
            file = replace(file, language=language, label=label)
        files[row["attachment_id"]].append(file)
    found: dict[int, list[Item]] = defaultdict(list)
    for row in rows:
        found[row["post_id"]].append(
            Item(
                **{**dict(row), "omitted": bool(row["omitted"])}, files=tuple(files[row["id"]])
            )
        )  # fmt: skip
    return found


def _words_of_subtitles(
    connection: sqlite3.Connection, renditions: Sequence[int]
) -> dict[int, tuple[str, str]]:
    """Language and label of subtitles, by the ids of their renditions."""
    if not renditions or not _has_origins(connection):
        return {}
    query = """
        SELECT rendition_id, details ->> '$.subtitles.language' AS language,
               details ->> '$.subtitles.name' AS label
          FROM media_origins WHERE rendition_id IN (SELECT value FROM json_each(?)) ORDER BY id
    """
    rows = connection.execute(query, (json.dumps(list(renditions)),))
    return {row[0]: (row[1] or "", row[2] or "") for row in rows}


def _has_origins(connection: sqlite3.Connection) -> bool:
    """Neither a published copy nor an archive of an earlier version has the table."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'media_origins'"
    return connection.execute(query).fetchone() is not None


def _made_here(connection: sqlite3.Connection, hashes: Collection[str]) -> dict[str, str]:
    """How those of these files that nobody served as they are were made, by their hash."""
    if not hashes or not _has_origins(connection):
        return {}
    query = """
        SELECT media_sha256, how, details FROM media_origins
         WHERE media_sha256 IN (SELECT value FROM json_each(?)) ORDER BY id
    """
    rows = connection.execute(query, (json.dumps(sorted(hashes)),))
    return {
        sha256: _MADE_HERE.get(how, "")
        + (_left_out(json.loads(details)) if details and how in _OF_SEGMENTS else "")
        for sha256, how, details in rows
    }


def _left_out(details: Mapping[str, Any]) -> str:
    """What a film was made without: `, without subtitles (en, de)`."""
    named: dict[str, list[str]] = {}
    for each in details.get("left_out", ()):
        word = each["language"] or each["name"] or "?"
        named.setdefault(_LEFT_OUT[each["kind"]], []).append(word)
    return "".join(f", without {what} ({', '.join(words)})" for what, words in named.items())


def _file(row: sqlite3.Row, made: str) -> File:
    names = frozenset(row.keys())
    private = {name: row[name] if name in names else None for name in _PRIVATE}
    is_held = row["state"] == "stored" and row["media_type"] is not None
    return File(
        id=row["id"], role=row["role"], state=row["state"], reason_code=row["reason_code"],
        reason=row["reason"], tries=private["tries"] or 0, next_try_at=private["next_try_at"],
        sha256=row["media_sha256"] if is_held else None, size=row["size"],
        content_type=row["media_type"] if is_held else row["content_type"],
        width=row["media_width"] or row["width"], height=row["media_height"] or row["height"],
        duration_ms=row["duration_ms"], bitrate=row["bitrate"], url=private["url"],
        path=row["path"] if is_held else None, made=made if is_held else "",
    )  # fmt: skip


_PRIVATE = ("tries", "next_try_at", "url")
"""Columns that a published copy lacks."""


def absence(
    state: str, code: str | None, reason: str | None, next_try_at: str | None = None
) -> str:
    """Why a file is missing, as a sentence; empty when we hold it."""
    if state == "stored":
        return ""
    if state == "skipped":
        return _SKIPPED.get(code or "", f"Skipped by the settings ({reason})")
    if (state, code) == ("omitted", "copyright"):
        return "Omitted by the platform for copyright"
    if state == "not_offered":  # earlier versions gave the code as the reason
        return _STATES[state] if not reason or reason == code else reason[0].upper() + reason[1:]
    why = _STATES.get(state, state) + (f": {reason}" if reason else "")
    again = state == "failed" and next_try_at
    return f"{why}; next attempt from {short_time(next_try_at)} UTC" if again else why


_STATES = {
    "omitted": "Omitted by the platform",
    "not_offered": "Not offered by the source",
    "gone": "Gone",
    "failed": "Failed",
    "refused": "Refused for safety",
    "pending": "Waiting to be fetched",
}
_SHORT_STATES = {
    "not_offered": "not offered",
    "pending": "waiting",
    **{state: state for state in ("omitted", "gone", "failed", "refused", "skipped")},
}
_MADE_HERE = {
    "joined": "made here of its segments",
    "remuxed": "made here of its segments, in another container",
    "resolved": "found behind its page by a resolver",
    "downloaded": "fetched from its page by a resolver, which may have put it together",
    "imported": "a single file that was imported",
}
_OF_SEGMENTS = frozenset({"joined", "remuxed"})  # what resolvers say has any form
_LEFT_OUT = {"subtitles": "subtitles", "sound": "other sound"}
_SKIPPED = {
    "playlist": "A playlist; the video file was fetched instead",
    "link_target": "The target of a link is not fetched",
}
