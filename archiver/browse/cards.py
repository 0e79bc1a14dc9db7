"""Posts as pages show them: those of a page are loaded together, with one query per table."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from archiver.browse.text import duration, number, short_time

HEADLINES = (
    "views", "likes", "reactions", "comments", "replies", "reposts", "shares", "quotes",
    "bookmarks", "saves",
)  # fmt: skip
"""The metrics that a card shows, in this order."""

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

    @property
    def group(self) -> str:
        """image, video, audio, or application."""
        return (self.content_type or "").partition("/")[0]

    @property
    def has_thumbnail(self) -> bool:
        """Whether a thumbnail can be made of it."""
        return self.sha256 is not None and self.content_type in _THUMBNAILED

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
    def label(self) -> str:
        """Its text for screen readers."""
        return self.alt or f"{self.kind}, without a description"

    @property
    def box(self) -> tuple[int, int] | None:
        """Width and height to reserve for it on a page, in pixels."""
        for sized in (self.main, self.still, self):
            if sized and sized.width and sized.height:
                return sized.width, sized.height
        return None


@dataclass(frozen=True)
class Card:
    """One post, as timelines and lists show it."""

    id: int
    account: str
    platform: str
    platform_id: str
    title: str | None
    text: str | None
    url: str | None
    kind: str
    visibility: str | None
    author: str | None
    created_at: str | None
    first_seen_at: str | None
    edited_at: str | None
    removed_at: str | None
    revisions: int
    items: tuple[Item, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    relations: tuple[Mapping[str, Any], ...] = ()
    detached: tuple[Item, ...] = field(default=())  # attached to earlier revisions only

    @property
    def omitted(self) -> bool:
        """Whether the platform omits a file of it."""
        return any(item.omitted for item in self.items)

    @property
    def alt_texts(self) -> list[str | None]:
        """The alt texts of its attachments, which the search covers too."""
        return [item.alt for item in self.items]


def cards(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Card]:
    """These posts, in this order."""
    chosen = json.dumps(list(ids))
    rows = connection.execute(_POSTS, (chosen,)).fetchall()
    found = {row["id"]: row for row in rows}
    attached = items(connection, ids)
    numbers = _numbers(connection, chosen)
    related = _by_post(connection.execute(_RELATIONS, (chosen,)))
    found_cards = []
    for post_id in ids:
        if (row := found.get(post_id)) is None:
            continue
        current, detached = _by_revision(attached[post_id], row["revisions"])
        found_cards.append(
            Card(
                **dict(row), items=tuple(current), detached=tuple(detached),
                numbers=tuple(numbers[post_id]), relations=tuple(related[post_id]),
            )
        )  # fmt: skip
    return found_cards


_POSTS = """
    SELECT posts.id, accounts.name AS account, posts.platform, posts.platform_id, posts.title,
           posts.text, posts.url, kind, visibility, author, created_at, posts.first_seen_at,
           edited_at, removed_at,
           (SELECT max(number) FROM revisions WHERE post_id = posts.id) AS revisions
      FROM posts JOIN accounts ON accounts.id = account_id
     WHERE posts.id IN (SELECT value FROM json_each(?))
"""
_RELATIONS = """
    SELECT relations.post_id, relations.kind, relations.platform_id, relations.url,
           (SELECT posts.id FROM posts WHERE posts.platform_id = relations.platform_id
               AND posts.account_id = own.account_id) AS known
      FROM relations JOIN posts AS own ON own.id = relations.post_id
     WHERE relations.post_id IN (SELECT value FROM json_each(?))
"""
_ITEMS = """
    SELECT id, post_id, position, kind, alt_text AS alt, width, height, duration_ms,
           omitted, first_revision, last_revision
      FROM attachments WHERE post_id IN (SELECT value FROM json_each(?))
     ORDER BY post_id, position, id
"""
_FILES = """
    SELECT renditions.*, media.size, media.content_type AS media_type, media.width AS media_width,
           media.height AS media_height, media.duration_ms
      FROM renditions LEFT JOIN media ON sha256 = media_sha256
     WHERE attachment_id IN (SELECT value FROM json_each(?)) ORDER BY renditions.id
"""


def items(connection: sqlite3.Connection, posts: Sequence[int]) -> dict[int, list[Item]]:
    """Every attachment of any revision of these posts, in order, by post id."""
    rows = connection.execute(_ITEMS, (json.dumps(list(posts)),)).fetchall()
    files = defaultdict(list)
    for row in connection.execute(_FILES, (json.dumps([row["id"] for row in rows]),)):
        files[row["attachment_id"]].append(_file(row))
    found: dict[int, list[Item]] = defaultdict(list)
    for row in rows:
        found[row["post_id"]].append(
            Item(
                **{**dict(row), "omitted": bool(row["omitted"])}, files=tuple(files[row["id"]])
            )
        )  # fmt: skip
    return found


def _file(row: sqlite3.Row) -> File:
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
    )  # fmt: skip


_PRIVATE = ("tries", "next_try_at", "url")
"""Columns that a published copy lacks."""


def _by_revision(attached: Iterable[Item], revision: int | None) -> tuple[list[Item], list[Item]]:
    """What is attached now, and what was attached to an earlier revision only."""
    current: list[Item] = []
    detached: list[Item] = []
    for item in attached:
        is_detached = bool(revision and item.last_revision and item.last_revision < revision)
        (detached if is_detached else current).append(item)
    return current, detached


def _numbers(connection: sqlite3.Connection, chosen: str) -> dict[int, list[tuple[str, str]]]:
    """The newest value of each headline metric, by post id."""
    rows = connection.execute(
        """SELECT post_id, name, max(seen_at), value FROM metrics
            WHERE post_id IN (SELECT value FROM json_each(?)) AND attachment_id = 0
              AND name IN (SELECT value FROM json_each(?))
            GROUP BY post_id, name""",
        (chosen, json.dumps(HEADLINES)),
    )
    found: dict[int, list[tuple[str, Any]]] = defaultdict(list)
    for post_id, name, _, value in rows:
        found[post_id].append((name, value))
    shown: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for post_id, values in found.items():
        values.sort(key=lambda pair: HEADLINES.index(pair[0]))
        shown[post_id] = [(name, number(value)) for name, value in values if value][:5]
    return shown


def _by_post(rows: Iterable[sqlite3.Row]) -> dict[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["post_id"]].append(dict(row))
    return found


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
    if state == "not_offered":
        return _NOT_OFFERED.get(code or "", _STATES[state])
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
_NOT_OFFERED = {"manifest_only": "Offered only as a playlist"}
_SKIPPED = {
    "playlist": "A playlist; the video file was fetched instead",
    "link_target": "The target of a link is not fetched",
}
