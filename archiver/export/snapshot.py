"""Chosen posts of an archive at one moment, read as a stream: what every export is made of.

A snapshot is one read transaction, so what a run writes meanwhile is not seen, and all that is
read of one snapshot fits together. Posts come in the order of the selection, a batch at a time:
memory does not grow with their number. A published copy lacks some columns; they read as None.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from archiver.archive.row_objects import mappings, objects

_BATCH = 200  # posts read together


class Selection(Protocol):
    """Which posts are wanted."""

    def ids(self, connection: sqlite3.Connection) -> Iterator[int]:
        """Their ids, each once, in the order in which they are wanted; not all held at once."""


@dataclass(frozen=True, slots=True)
class HeldFile:
    """One rendition: a file that the archive holds, or the reason why it does not.

    `sha256`, `path` (relative to the archive's folder) and `size` (bytes) are None where the file
    is not here. `width` and `height` are in pixels, as the file itself says where it is here.
    """

    id: int
    attachment_id: int
    role: str
    state: str
    reason_code: str | None
    reason: str | None
    content_type: str | None
    width: int | None
    height: int | None
    bitrate: int | None
    duration_ms: int | None
    sha256: str | None
    path: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class PostAttachment:
    """One thing attached to a post, now or to an earlier revision of it."""

    id: int
    post_id: int
    position: int
    kind: str
    alt_text: str | None
    omitted: int
    first_revision: int | None
    last_revision: int | None
    files: tuple[HeldFile, ...] = ()

    @property
    def main(self) -> HeldFile | None:
        """The file to give to people: the original, else the largest variant, else a still."""
        held = [file for file in self.files if file.path is not None]
        return max(held, key=_preference, default=None)


_ROLES = ("preview", "cover", "thumbnail", "variant", "original")  # the best comes last


def _preference(file: HeldFile) -> tuple[int, int]:
    return _ROLES.index(file.role) if file.role in _ROLES else -1, file.size or 0


@dataclass(frozen=True, slots=True)
class SavedAccount:
    """An account that chosen posts are of, as it was last seen, with its pictures."""

    id: int
    name: str
    platform: str
    platform_id: str | None
    handle: str | None
    title: str | None
    url: str | None
    description: str | None = None
    avatar: HeldFile | None = None
    banner: HeldFile | None = None


@dataclass(frozen=True, slots=True)
class LatestMetric:
    """The newest value of a metric of a post."""

    name: str
    seen_at: str
    value: float


@dataclass(frozen=True, slots=True)
class PostRelation:
    """Another post that a post answers, quotes, reposts or shares."""

    kind: str
    platform_id: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class PostRevision:
    """One content of a post. `raw` is the record, exact JSON."""

    post_id: int
    number: int
    why: str
    seen_at: str
    source_time: str | None
    source: str | None
    run_id: int | None
    content_version: int | None
    content_sha256: str
    raw: str | None


@dataclass(frozen=True, slots=True)
class SavedPost:
    """One post as the archive has it, with all that hangs on it but its revisions."""

    id: int
    account: str
    handle: str | None
    platform: str
    platform_id: str
    kind: str
    visibility: str | None
    author: str | None
    created_at: str | None
    title: str | None
    text: str | None
    url: str | None
    first_seen_at: str | None
    edited_at: str | None
    removed_at: str | None
    revisions: int | None  # the number of the newest one
    attachments: tuple[PostAttachment, ...] = ()
    metrics: tuple[LatestMetric, ...] = ()
    relations: tuple[PostRelation, ...] = ()

    @property
    def attached(self) -> tuple[PostAttachment, ...]:
        """What is attached to its newest revision, in order."""
        return tuple(
            one
            for one in self.attachments
            if one.last_revision is None or one.last_revision >= (self.revisions or 0)
        )


class Snapshot:
    """The chosen posts, within a transaction that somebody else began; see `open_snapshot`."""

    def __init__(self, connection: sqlite3.Connection, selection: Selection) -> None:
        self.connection = connection
        """For a form that copies rows as they are."""
        self._selection = selection

    def posts(self) -> Iterator[SavedPost]:
        """Every chosen post, with attachments, newest metrics and relations."""
        for ids in self.batches():
            yield from self._posts(ids)

    def accounts(self) -> Iterator[SavedAccount]:
        """The accounts of all chosen posts, by name."""
        found: set[int] = set()
        for ids in self.batches():
            query = f"SELECT DISTINCT account_id FROM posts WHERE id{_AMONG}"
            found.update(account for (account,) in self._execute(query, ids))
        for row in list(mappings(self._execute(_ACCOUNTS, sorted(found)))):
            parameters = (row["id"],)
            profile = self.connection.execute(_PROFILE, parameters).fetchone() or (None,) * 3
            avatar, banner = (
                next(objects(self.connection.execute(_PICTURE, (row["id"], key)), HeldFile), None)
                for key in profile[1:]
            )
            yield SavedAccount(**row, description=profile[0], avatar=avatar, banner=banner)

    def of_account(self, account: int) -> "Snapshot":
        """The chosen posts of one account."""
        return Snapshot(self.connection, _OfAccount(self._selection, account))

    def revisions(self) -> Iterator[PostRevision]:
        """Every revision of every chosen post: those of a post together, the first one first."""
        query = _select(self.connection, "revisions", _REVISION) + _CHOSEN
        for ids in self.batches():
            found = defaultdict(list)
            for one in objects(self._execute(f"{query} ORDER BY number", ids), PostRevision):
                found[one.post_id].append(one)
            for post_id in ids:
                yield from found[post_id]

    def batches(self) -> Iterator[tuple[int, ...]]:
        """The ids of all chosen posts, some at a time."""
        ids = self._selection.ids(self.connection)
        return iter(lambda: tuple(islice(ids, _BATCH)), ())

    def _execute(self, query: str, ids: Sequence[int]) -> sqlite3.Cursor:
        return self.connection.execute(query, {"ids": json.dumps(ids)})

    def _posts(self, ids: Sequence[int]) -> Iterator[SavedPost]:
        attachments = self._attachments(ids)
        metrics, relations = self._metrics(ids), self._relations(ids)
        found = {row["id"]: row for row in mappings(self._execute(_POSTS, ids))}
        for post_id in ids:
            if row := found.get(post_id):
                yield SavedPost(
                    **row, attachments=tuple(attachments[post_id]),
                    metrics=tuple(metrics[post_id]), relations=tuple(relations[post_id]),
                )  # fmt: skip

    def _attachments(self, ids: Sequence[int]) -> Mapping[int, list[PostAttachment]]:
        query = _select(self.connection, "attachments", _ATTACHMENT) + _CHOSEN
        rows = list(mappings(self._execute(f"{query} ORDER BY position, id", ids)))
        files = defaultdict(list)
        for file in objects(self._execute(_FILES, [row["id"] for row in rows]), HeldFile):
            files[file.attachment_id].append(file)
        found = defaultdict(list)
        for row in rows:
            found[row["post_id"]].append(PostAttachment(**row, files=tuple(files[row["id"]])))
        return found

    def _metrics(self, ids: Sequence[int]) -> Mapping[int, list[LatestMetric]]:
        found = defaultdict(list)
        for row in mappings(self._execute(_METRICS, ids)):
            found[row.pop("post_id")].append(LatestMetric(**row))
        return found

    def _relations(self, ids: Sequence[int]) -> Mapping[int, list[PostRelation]]:
        query = "SELECT post_id, kind, platform_id, url FROM relations" + _CHOSEN
        found = defaultdict(list)
        for row in mappings(self._execute(f"{query} ORDER BY id", ids)):
            found[row.pop("post_id")].append(PostRelation(**row))
        return found


@dataclass(frozen=True, slots=True)
class _OfAccount:
    """Those posts of a selection that are of one account."""

    selection: Selection
    account: int

    def ids(self, connection: sqlite3.Connection) -> Iterator[int]:
        """Their ids."""
        query = f"SELECT id FROM posts WHERE account_id = :account AND id{_AMONG}"
        chosen = self.selection.ids(connection)
        while some := list(islice(chosen, _BATCH)):
            values = {"account": self.account, "ids": json.dumps(some)}
            own = {post_id for (post_id,) in connection.execute(query, values)}
            yield from (post_id for post_id in some if post_id in own)


@contextmanager
def open_snapshot(connection: sqlite3.Connection, selection: Selection) -> Iterator[Snapshot]:
    """A snapshot on a connection of its own: one read transaction, ended by leaving the block."""
    connection.execute("BEGIN")
    try:
        yield Snapshot(connection, selection)
    finally:
        connection.rollback()


_AMONG = " IN (SELECT value FROM json_each(:ids))"
_CHOSEN = f" WHERE post_id{_AMONG}"
_REVISION = (
    "post_id", "number", "why", "seen_at", "source_time", "source", "run_id", "content_version",
    "content_sha256", "raw",
)  # fmt: skip
_ATTACHMENT = (
    "id", "post_id", "position", "kind", "alt_text", "omitted", "first_revision", "last_revision",
)  # fmt: skip
_POSTS = """
    SELECT posts.id, accounts.name AS account, accounts.handle, posts.platform, posts.platform_id,
           kind, visibility, author, created_at, posts.title, posts.text, posts.url,
           posts.first_seen_at, edited_at, removed_at,
           (SELECT max(number) FROM revisions WHERE post_id = posts.id) AS revisions
      FROM posts JOIN accounts ON accounts.id = account_id
     WHERE posts.id IN (SELECT value FROM json_each(:ids))
"""
_FILES = """
    SELECT id, attachment_id, role, state, reason_code, reason,
           coalesce(media.content_type, renditions.content_type) AS content_type,
           coalesce(media.width, renditions.width) AS width,
           coalesce(media.height, renditions.height) AS height,
           bitrate, media.duration_ms, sha256, path, size
      FROM renditions
      LEFT JOIN media ON sha256 = media_sha256 AND state = 'stored' AND lost_at IS NULL
     WHERE attachment_id IN (SELECT value FROM json_each(:ids)) ORDER BY id
"""
_ACCOUNTS = f"""
    SELECT id, name, platform, platform_id, handle, title, url FROM accounts
     WHERE id{_AMONG} ORDER BY name
"""
_PROFILE = """
    SELECT description, avatar, banner FROM account_profiles
     WHERE account_id = ? ORDER BY id DESC LIMIT 1
"""
_PICTURE = """
    SELECT account_pictures.id, 0 AS attachment_id, account_pictures.kind AS role, state,
           reason_code, reason, content_type, width, height, NULL AS bitrate, duration_ms, sha256,
           path, size
      FROM account_pictures JOIN media ON sha256 = media_sha256 AND lost_at IS NULL
     WHERE account_id = ? AND media_key = ? AND state = 'stored' ORDER BY 1 DESC
"""
_METRICS = """
    SELECT post_id, name, max(seen_at) AS seen_at, value FROM metrics
     WHERE post_id IN (SELECT value FROM json_each(:ids)) AND attachment_id = 0
     GROUP BY post_id, attachment_id, name
"""


def _select(connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> str:
    """A SELECT of these columns, with NULL for those that this archive does not have."""
    there = {
        row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    }
    parts = [name if name in there else f"NULL AS {name}" for name in columns]
    return f"SELECT {', '.join(parts)} FROM {table}"
