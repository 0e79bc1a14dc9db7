"""Chosen posts of an archive at one moment, read as a stream: what every export is made of.

A snapshot is one read transaction, so what a run writes meanwhile is not seen, and all that is
read of one snapshot fits together. Posts come in the order of the selection, a batch at a time:
memory does not grow with their number. A published copy lacks some columns; they read as None.
"""

import json
import sqlite3
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from typing import Protocol, TypeVar

from archiver.archive.row_objects import mappings, objects
from archiver.export.as_of import NO_READERS, Readers, as_of, known_by
from archiver.saved_posts import (
    LatestMetric,
    PostAlias,
    PostAttachment,
    PostRelation,
    PostRevision,
    SavedAccount,
    SavedAnswer,
    SavedFile,
    SavedPost,
    SavedSource,
)

T = TypeVar("T")
_BATCH = 200  # posts read together
_ALWAYS = "9"  # later than every time


class Selection(Protocol):
    """Which posts are wanted."""

    def ids(self, connection: sqlite3.Connection) -> Iterator[int]:
        """Their ids, each once, in the order in which they are wanted; not all held at once."""


class Snapshot:
    """The chosen posts, within a transaction that somebody else began; see `open_snapshot`."""

    def __init__(
        self, connection: sqlite3.Connection, selection: Selection, moment: str = "",
        readers: Readers = NO_READERS,
    ) -> None:  # fmt: skip
        self.connection = connection
        """For a form that copies rows as they are."""
        self.moment = moment
        """The moment that posts are of, in UTC; empty where that is now."""
        self._selection = selection
        self._readers = readers

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
                next(objects(self.connection.execute(_PICTURE, (row["id"], key)), SavedFile), None)
                for key in profile[1:]
            )
            yield SavedAccount(**row, description=profile[0], avatar=avatar, banner=banner)

    def answers(self) -> Iterator[SavedAnswer]:
        """The saved answers about each account of which all posts are chosen, but damaged ones.

        An answer holds many posts, so those about other accounts may hold some that are not chosen.
        """
        chosen: Counter[int] = Counter()
        count = "SELECT account_id, count(*) FROM posts {} GROUP BY account_id"
        for ids in self.batches():
            for account, posts in self._execute(count.format(f"WHERE id{_AMONG}"), ids):
                chosen[account] += posts
        every = dict(self.connection.execute(count.format("")).fetchall())
        whole = [account for account, posts in chosen.items() if every[account] == posts]
        for row in mappings(self._execute(_ANSWERS, whole)):
            digest = row.pop("body_sha256")
            try:
                body = zlib.decompress(row.pop("body"))
            except zlib.error:
                continue
            if sha256(body).hexdigest() == digest:
                yield SavedAnswer(**row, body=body)

    def of_account(self, account: int) -> "Snapshot":
        """The chosen posts of one account."""
        selection = _OfAccount(self._selection, account)
        return Snapshot(self.connection, selection, self.moment, self._readers)

    def revisions(self) -> Iterator[PostRevision]:
        """Every revision of every chosen post: those of a post together, the first one first."""
        for ids in self.batches():
            found = self._revisions(ids)
            for post_id in ids:
                revisions = found[post_id]
                yield from known_by(revisions, self.moment) if self.moment else revisions

    def batches(self) -> Iterator[tuple[int, ...]]:
        """The ids of all chosen posts, some at a time."""
        ids = self._selection.ids(self.connection)
        return iter(lambda: tuple(islice(ids, _BATCH)), ())

    def _execute(self, query: str, ids: Sequence[int], **values: str) -> sqlite3.Cursor:
        return self.connection.execute(query, {"ids": json.dumps(ids), **values})

    def _posts(self, ids: Sequence[int]) -> Iterator[SavedPost]:
        posts = self._posts_now(ids)
        yield from self._as_of(list(posts)) if self.moment else posts

    def _posts_now(self, ids: Sequence[int]) -> Iterator[SavedPost]:
        attachments = self._attachments(ids)
        metrics, relations = self._metrics(ids), self._relations(ids)
        aliases = self._of_posts(ids, "post_aliases", _ALIAS, PostAlias)
        sources = self._of_posts(ids, "post_sources", _SOURCE, SavedSource)
        found = {row["id"]: row for row in mappings(self._execute(_POSTS, ids))}
        for post_id in ids:
            if row := found.get(post_id):
                yield SavedPost(
                    **row, attachments=tuple(attachments[post_id]),
                    metrics=tuple(metrics[post_id]), relations=tuple(relations[post_id]),
                    aliases=tuple(aliases[post_id]), sources=tuple(sources[post_id]),
                )  # fmt: skip

    def _revisions(self, ids: Sequence[int]) -> Mapping[int, list[PostRevision]]:
        query = _select(self.connection, "revisions", _REVISION) + _CHOSEN
        found = defaultdict(list)
        for one in objects(self._execute(f"{query} ORDER BY number", ids), PostRevision):
            found[one.post_id].append(one)
        return found

    def _as_of(self, posts: Sequence[SavedPost]) -> Iterator[SavedPost]:
        """The posts as they were at the moment that is asked for."""
        ids = [post.id for post in posts]
        revisions, removed = self._revisions(ids), self._removed(ids)
        for post in posts:
            found = as_of(post, revisions[post.id], self.moment, self._readers)
            yield replace(found, removed_at=removed.get(post.id))

    def _removed(self, ids: Sequence[int]) -> Mapping[int, str | None]:
        """Which of these posts were removed then, and since when."""
        events = self._execute(_REMOVALS, ids, moment=self.moment)
        return {post: at if what == "removed" else None for post, what, at in events}

    def _attachments(self, ids: Sequence[int]) -> Mapping[int, list[PostAttachment]]:
        query = _select(self.connection, "attachments", _ATTACHMENT) + _CHOSEN
        rows = list(mappings(self._execute(f"{query} ORDER BY position, id", ids)))
        files = defaultdict(list)
        attached = [row["id"] for row in rows]
        for file in objects(self._execute(_files_query(self.connection), attached), SavedFile):
            files[file.attachment_id].append(file)
        found = defaultdict(list)
        for row in rows:
            found[row["post_id"]].append(PostAttachment(**row, files=tuple(files[row["id"]])))
        return found

    def _metrics(self, ids: Sequence[int]) -> Mapping[int, list[LatestMetric]]:
        found = defaultdict(list)
        for row in mappings(self._execute(_METRICS, ids, moment=self.moment or _ALWAYS)):
            found[row.pop("post_id")].append(LatestMetric(**row))
        return found

    def _of_posts(
        self, ids: Sequence[int], table: str, columns: Sequence[str], kind: Callable[..., T]
    ) -> Mapping[int, list[T]]:
        """The rows of a table by their post; a published copy does not have every table."""
        found: defaultdict[int, list[T]] = defaultdict(list)
        if self.connection.execute("SELECT 1 FROM pragma_table_info(?)", (table,)).fetchone():
            query = f"SELECT post_id, {', '.join(columns)} FROM {table}{_CHOSEN} ORDER BY 1, 2, 3"
            for row in mappings(self._execute(query, ids)):
                found[row.pop("post_id")].append(kind(**row))
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
def open_snapshot(
    connection: sqlite3.Connection, selection: Selection, moment: str = "",
    readers: Readers = NO_READERS,
) -> Iterator[Snapshot]:  # fmt: skip
    """A snapshot on a connection of its own: one read transaction, ended by leaving the block.

    With a `moment`, in UTC, posts are as they were then; see `as_of`.
    """
    connection.execute("BEGIN")
    try:
        yield Snapshot(connection, selection, moment, readers)
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
    "key", "source", "platform_id",
)  # fmt: skip
_ALIAS = ("scheme", "value")
_SOURCE = (
    "source", "record_id", "first_seen_at", "edit", "content_version", "content_sha256",
    "missing_at", "removed_at",
)  # fmt: skip
_POSTS = """
    SELECT posts.id, accounts.name AS account, accounts.handle, posts.platform, posts.platform_id,
           kind, visibility, author, created_at, posts.title, posts.text, posts.url,
           posts.first_seen_at, edited_at, removed_at,
           (SELECT max(number) FROM revisions WHERE post_id = posts.id) AS revisions,
           accounts.platform_id AS account_platform_id
      FROM posts JOIN accounts ON accounts.id = account_id
     WHERE posts.id IN (SELECT value FROM json_each(:ids))
"""
_FILES = """
    SELECT id, attachment_id, role, state, reason_code, reason,
           coalesce(media.content_type, renditions.content_type) AS content_type,
           coalesce(media.width, renditions.width) AS width,
           coalesce(media.height, renditions.height) AS height,
           bitrate, media.duration_ms, sha256, path, size, {names}
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
_ANSWERS = f"""
    SELECT url, status, received_at, headers, body, body_sha256 FROM responses
     WHERE account_id{_AMONG} ORDER BY id
"""
_REMOVALS = f"""
    SELECT post_id, what, at FROM events
     WHERE post_id{_AMONG} AND what IN ('removed', 'restored') AND at <= :moment ORDER BY id
"""
_METRICS = """
    SELECT post_id, name, max(seen_at) AS seen_at, value FROM metrics
     WHERE post_id IN (SELECT value FROM json_each(:ids)) AND attachment_id = 0
       AND seen_at <= :moment
     GROUP BY post_id, attachment_id, name
"""


def _files_query(connection: sqlite3.Connection) -> str:
    """The query of files; a published copy does not tell what sources call them."""
    is_whole = connection.execute(
        "SELECT 1 FROM pragma_table_info('renditions') WHERE name = 'media_key'"
    ).fetchone()
    return _FILES.format(names="media_key, source" if is_whole else "NULL AS media_key")


def _select(connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> str:
    """A SELECT of these columns, with NULL for those that this archive does not have."""
    there = {
        row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    }
    parts = [name if name in there else f"NULL AS {name}" for name in columns]
    return f"SELECT {', '.join(parts)} FROM {table}"
