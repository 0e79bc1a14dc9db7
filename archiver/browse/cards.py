"""Posts as pages show them, put together for a whole page with one query per table."""

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
"""The numbers that a card shows, in this order."""

_STILL_ROLES = ("thumbnail", "cover", "preview")
_DRAWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""Types that Pillow makes a smaller picture of."""


@dataclass(frozen=True)
class File:
    """One rendition: what it is, where it is, or why it is not here. Sizes in bytes, pixels, ms."""

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
    def drawn(self) -> bool:
        """Whether it can be shown as a smaller picture."""
        return self.sha256 is not None and self.content_type in _DRAWN

    @property
    def why(self) -> str:
        """Why it is not here, as a sentence for people; empty when it is."""
        return absence(self.state, self.reason_code, self.reason, self.next_try_at)


@dataclass(frozen=True)
class Item:
    """One attachment with its files."""

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
        """The thing itself, where we hold it; of several, the largest."""
        own = [file for file in self.files if file.role in {"original", "variant"}]
        held = [file for file in own if file.sha256 and file.state == "stored"]
        return max(held, key=lambda file: (file.role == "original", file.size or 0), default=None)

    @cached_property
    def still(self) -> File | None:
        """A picture of it: itself if it is one, else the platform's still."""
        if self.main and self.main.drawn:
            return self.main
        held = [file for file in self.files if file.drawn and file.role in _STILL_ROLES]
        return min(held, key=lambda file: _STILL_ROLES.index(file.role), default=None)

    @property
    def shown(self) -> str:
        """How to show it: video, audio, image, still (only a picture of it), or nothing."""
        if self.main and self.main.group in {"video", "audio"}:
            return self.main.group
        if self.main and self.main.drawn:
            return "image"
        return "still" if self.still else "nothing"

    @property
    def time(self) -> str:
        """Its duration, by the file, else by the platform's word."""
        own = self.main.duration_ms if self.main else None
        return duration(own or self.duration_ms)

    @property
    def missing(self) -> str:
        """Why the thing itself is not here; empty when it is, and for links."""
        if self.main or self.kind == "link":
            return ""
        wanted = [file for file in self.files if file.role in {"original", "variant"}]
        return next((file.why for file in wanted if file.why), "")

    @property
    def not_offered(self) -> bool:
        """Whether the platform hands out no such file, of anything: nobody has to look into it."""
        wanted = [file for file in self.files if file.role in {"original", "variant"}]
        return bool(wanted) and all(file.state == "not_offered" for file in wanted)

    @property
    def label(self) -> str:
        """What a screen reader says of it."""
        return self.alt or f"{self.kind}, without a description"

    @property
    def box(self) -> tuple[int, int] | None:
        """Width and height to keep free for it, in pixels."""
        for thing in (self.main, self.still, self):
            if thing and thing.width and thing.height:
                return thing.width, thing.height
        return None


@dataclass(frozen=True)
class Card:
    """One post as lists show it."""

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
    former: tuple[Item, ...] = field(default=())

    @property
    def omitted(self) -> bool:
        """Whether the platform keeps something of it back."""
        return any(item.omitted for item in self.items)

    @property
    def alt_texts(self) -> list[str | None]:
        """The descriptions of what is attached, which a search reads too."""
        return [item.alt for item in self.items]


def cards(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Card]:
    """These posts, in this order."""
    chosen = json.dumps(list(ids))
    rows = connection.execute(_POSTS, (chosen,)).fetchall()
    found = {row["id"]: row for row in rows}
    attached = items(connection, ids)
    numbers = _numbers(connection, chosen)
    related = _by_post(connection.execute(_RELATIONS, (chosen,)))
    made = []
    for post_id in ids:
        if (row := found.get(post_id)) is None:
            continue
        now, former = _current(attached[post_id], row["revisions"])
        made.append(
            Card(
                **dict(row), items=tuple(now), former=tuple(former),
                numbers=tuple(numbers[post_id]), relations=tuple(related[post_id]),
            )
        )  # fmt: skip
    return made


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
    SELECT id, post_id, position, kind, alt_text, width, height, duration_ms, omitted,
           first_revision, last_revision
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
    """All that was ever attached to each of these posts, in order."""
    rows = connection.execute(_ITEMS, (json.dumps(list(posts)),)).fetchall()
    files = defaultdict(list)
    for row in connection.execute(_FILES, (json.dumps([row["id"] for row in rows]),)):
        files[row["attachment_id"]].append(_file(row))
    found: dict[int, list[Item]] = defaultdict(list)
    for row in rows:
        found[row["post_id"]].append(
            Item(
                row["id"], row["post_id"], row["position"], row["kind"], row["alt_text"],
                row["width"], row["height"], row["duration_ms"], bool(row["omitted"]),
                row["first_revision"], row["last_revision"], tuple(files[row["id"]]),
            )
        )  # fmt: skip
    return found


def _file(row: sqlite3.Row) -> File:
    names = frozenset(row.keys())
    private = {name: row[name] if name in names else None for name in _PRIVATE}
    held = row["state"] == "stored" and row["media_type"] is not None
    return File(
        row["id"], row["role"], row["state"], row["reason_code"], row["reason"],
        private["tries"] or 0, private["next_try_at"], row["media_sha256"] if held else None,
        row["size"],
        row["media_type"] if held else row["content_type"],
        row["media_width"] or row["width"], row["media_height"] or row["height"],
        row["duration_ms"], row["bitrate"], private["url"],
    )  # fmt: skip


_PRIVATE = ("tries", "next_try_at", "url")
"""Columns that a published copy lacks."""


def _current(attached: Iterable[Item], revision: int | None) -> tuple[list[Item], list[Item]]:
    """What is attached now, and what was in an earlier revision only."""
    now: list[Item] = []
    former: list[Item] = []
    for item in attached:
        gone = bool(revision and item.last_revision and item.last_revision < revision)
        (former if gone else now).append(item)
    return now, former


def _numbers(connection: sqlite3.Connection, chosen: str) -> dict[int, list[tuple[str, str]]]:
    """The newest value of each headline number of each post."""
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
    said: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for post_id, values in found.items():
        values.sort(key=lambda pair: HEADLINES.index(pair[0]))
        said[post_id] = [(name, number(value)) for name, value in values if value][:5]
    return said


def _by_post(rows: Iterable[sqlite3.Row]) -> dict[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["post_id"]].append(dict(row))
    return found


def absence(
    state: str, code: str | None, reason: str | None, next_try_at: str | None = None
) -> str:
    """Why a file is not here, as a sentence; empty when it is."""
    if state == "stored":
        return ""
    if state == "skipped":
        return _SKIPPED.get(code or "", f"Left out by the settings ({reason})")
    if (state, code) == ("omitted", "copyright"):
        return "Withheld by the platform for copyright"
    if state == "not_offered":
        return _NOT_OFFERED.get(code or "", _STATES[state])
    why = _STATES.get(state, state) + (f": {reason}" if reason else "")
    again = state == "failed" and next_try_at
    return f"{why}; tried again from {short_time(next_try_at)}" if again else why


_STATES = {
    "omitted": "Withheld by the platform",
    "not_offered": "The platform does not hand out this file",
    "gone": "Gone at the platform",
    "failed": "Could not be fetched",
    "refused": "Refused",
    "pending": "Waiting to be fetched",
}
_NOT_OFFERED = {"manifest_only": "Offered only as a playlist"}
_SKIPPED = {
    "playlist": "A playlist; the file itself was preferred",
    "link_target": "What a link leads to is not fetched",
}
