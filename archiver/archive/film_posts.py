"""The posts that a single film may belong to, and the row that it gets as the file of one."""

import json
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from archiver.archive.origins import MediaOrigin
from archiver.archive.packages import EXPORT
from archiver.archive.queue import QueuedFile, Stored, save
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert
from archiver.archive.transactions import transaction
from archiver.models import CONTENT_SCHEMES, timestamp
from archiver.reasons import Reason

_CONTENT_SCHEMES = ", ".join(f"'{scheme}'" for scheme in sorted(CONTENT_SCHEMES))
_POSTS = """
    SELECT posts.id AS post_id, posts.account_id, accounts.name AS account,
           accounts.platform, accounts.platform_id AS account_platform_id,
           posts.platform_id AS record_id, posts.title, posts.created_at AS published_at,
           attachments.id AS attachment_id, attachments.key AS attachment_key,
           attachments.duration_ms
      FROM posts
      JOIN accounts ON accounts.id = posts.account_id
     CROSS JOIN attachments ON attachments.post_id = posts.id AND attachments.kind = 'video'
     WHERE {condition} AND (:account IS NULL OR accounts.name = :account)
     ORDER BY posts.id, attachments.position
"""


@dataclass(frozen=True, slots=True)
class FilmPost:
    """A post with a video: one row for each of its videos. `duration_ms` is by a source's word."""

    post_id: int
    account_id: int
    account: str
    platform: str
    account_platform_id: str | None
    record_id: str
    title: str | None
    published_at: str | None
    attachment_id: int
    attachment_key: str
    duration_ms: int | None


def film_posts_by_id(
    connection: sqlite3.Connection, ids: Collection[str], account: str | None
) -> list[FilmPost]:
    """The posts that have one of these ids, or had it, and a video."""
    condition = f"""posts.id IN (
        SELECT id FROM posts WHERE platform_id IN (SELECT value FROM json_each(:ids))
         UNION ALL
        SELECT post_id FROM post_aliases WHERE value IN (SELECT value FROM json_each(:ids))
           AND scheme NOT IN ({_CONTENT_SCHEMES}))
    """
    parameters = {"ids": json.dumps(sorted(ids)), "account": account}
    return list(objects(connection.execute(_POSTS.format(condition=condition), parameters),
                        FilmPost))  # fmt: skip


def film_posts_with_title(
    connection: sqlite3.Connection, account: str | None
) -> Iterator[FilmPost]:
    """Every post that has a title and a video; all posts are read for them."""
    query = _POSTS.format(condition="posts.title IS NOT NULL")
    return objects(connection.execute(query, {"account": account}), FilmPost)


def has_file(connection: sqlite3.Connection, attachment_id: int, sha256: str) -> bool:
    """Whether these bytes are stored as a file of an attachment already."""
    query = """
        SELECT 1 FROM renditions
         WHERE attachment_id = ? AND media_sha256 = ? AND state = 'stored'
    """
    return connection.execute(query, (attachment_id, sha256)).fetchone() is not None


@dataclass(frozen=True, slots=True)
class ImportedFilm:
    """A film that is durable in the store: its file, its name, and by what it was assigned.

    `by_id` says that its name has the id of the post; else its title and length told it.
    """

    post: FilmPost
    name: str
    by_id: bool
    sha256: str
    path: str
    size: int
    content_type: str
    width: int | None
    height: int | None
    duration_ms: int | None

    @property
    def rule(self) -> str:
        """By what it was assigned."""
        return "the id in its name" if self.by_id else "its title and length"


def save_film(
    connection: sqlite3.Connection, film: ImportedFilm, run_id: int, now: datetime
) -> None:
    """Save a film as a file of its post: nobody's original, since the platform may have made it."""
    post = film.post
    key = f"file:{film.sha256}"
    with transaction(connection):
        rendition_id = insert(
            connection, "renditions", attachment_id=post.attachment_id,
            account_id=post.account_id, source=EXPORT, role="variant", media_key=key,
            content_type=film.content_type, state="pending", tries=0,
            published_at=post.published_at,
        )  # fmt: skip
        queued = QueuedFile(
            rendition_id, post.attachment_id, post.attachment_key, post.post_id, post.account_id,
            EXPORT, post.record_id, "video", "variant", key, "", film.content_type, 0, None, None,
            None, None, post.published_at,
        )  # fmt: skip
        origin = MediaOrigin(
            "imported", "import", details={"file": film.name, "assigned_by": film.rule}
        )
        stored = Stored(
            queued, film.sha256, film.path, film.size, film.content_type, film.width, film.height,
            film.duration_ms, origin=origin,
        )  # fmt: skip
        save(connection, [stored], run_id, now)
        reason = Reason("film_assigned", f"the film {film.name}, by {film.rule}")
        insert(
            connection, "events", post_id=post.post_id, run_id=run_id, at=timestamp(now),
            what="imported", attachment_id=post.attachment_id, source=EXPORT,
            reason_code=None if film.by_id else reason.code, reason=reason.text,
        )  # fmt: skip
