"""The stored posts that a page shows again, with what a source is known to have shown of them."""

import json
import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from archiver.archive.hashed_rows import clean_text
from archiver.archive.row_objects import objects


class StoredPost(Struct, frozen=True):
    """The row of a post that is on the page, with the columns of this source.

    All but the first four columns are those of this source; `fingerprint` is None where it has not
    shown the post before. `sources` is how many have. `as_of` is when the newest export was made
    that showed the post.
    """

    id: int
    platform_id: str
    removed_at: str | None
    sources: int
    edit: int
    fingerprint: bytes | None
    content_version: int | None
    content_sha256: str | None
    missing_at: str | None
    removed_by_source_at: str | None
    view: str | None
    reader: bytes | None
    unmapped: str | None
    extra: str | None
    as_of: str | None = None

    @property
    def is_known_to_source(self) -> bool:
        """Whether this source has shown the post before."""
        return self.fingerprint is not None


def stored_posts(
    connection: sqlite3.Connection, account_id: int, source: str, platform_ids: Sequence[str]
) -> dict[str, StoredPost]:
    """The stored posts of these ids, by id, with the columns of one source."""
    query = """
        SELECT posts.platform_id, posts.id, posts.removed_at, fingerprint, content_version,
               (SELECT count(*) FROM post_sources AS every WHERE every.post_id = posts.id)
               AS sources, coalesce(edit, 0) AS edit, content_sha256, missing_at,
               own.removed_at AS removed_by_source_at, view, reader, unmapped, extra,
               (SELECT exported_at FROM package_posts AS newest
                  JOIN packages ON packages.id = newest.package_id
                 WHERE newest.post_id = posts.id) AS as_of
          FROM posts LEFT JOIN post_sources AS own ON post_id = posts.id AND source = ?
         WHERE account_id = ? AND posts.platform_id IN (SELECT value FROM json_each(?))
    """
    ids = json.dumps([clean_text(platform_id) for platform_id in platform_ids])
    cursor = connection.execute(query, (source, account_id, ids))
    return {stored.platform_id: stored for stored in objects(cursor, StoredPost)}
