"""What a post that is here lacks, and another archive has of it: numbers, ids, contents, files.

Nothing that is here changes: neither the words of a post nor what happened to it. So nothing that
another archive says can make an edit, or a removal, that was none.
"""

import sqlite3
from collections.abc import Sequence

from archiver.archive.attachments import keep_attached
from archiver.archive.queue import QueuedFile
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert, insert_new
from archiver.archive.transfer import TransferredPost

_OF_REVISION = (
    "seen_at", "source", "content_version", "content_sha256", "source_time", "wording_sha256",
    "raw",
)  # fmt: skip
_LACKING = """
    SELECT renditions.id AS rendition_id, attachments.id AS attachment_id,
           attachments.key AS attachment_key, posts.id AS post_id, renditions.account_id,
           renditions.source, posts.platform_id AS record_id, attachments.kind, role, media_key,
           coalesce(renditions.url, '') AS url, renditions.content_type, tries, reason_code,
           expected_sha256, expected_size, media_sha256 AS lost, published_at
      FROM posts CROSS JOIN attachments ON attachments.post_id = posts.id
     CROSS JOIN renditions ON renditions.attachment_id = attachments.id
     WHERE posts.account_id = ? AND posts.platform_id = ?
       AND state IN ('pending', 'failed', 'gone')
     ORDER BY renditions.id
"""


def lacking_files(
    connection: sqlite3.Connection, account_id: int, platform_id: str, post: TransferredPost
) -> list[tuple[QueuedFile, str]]:
    """The files that a post of this id lacks here, with the hashes of those that the other has.

    A file is the same where its attachment, its source and its own key are.
    """
    keys = {row["id"]: row["key"] for row in post.rows.get("attachments", ())}
    there = {
        (keys[row["attachment_id"]], row["source"], row["media_key"]): row["media_sha256"]
        for row in post.rows.get("renditions", ())
        if row["state"] == "stored" and row["media_sha256"] in post.files
    }
    if not there:
        return []
    cursor = connection.execute(_LACKING, (account_id, platform_id))
    return [
        (queued, there[name])
        for queued in objects(cursor, QueuedFile)
        if (name := (queued.attachment_key, queued.source, queued.media_key)) in there
    ]


def fill_known_posts(
    connection: sqlite3.Connection, account_id: int, run_id: int,
    known: Sequence[tuple[str, TransferredPost]],
) -> None:  # fmt: skip
    """Add the numbers, the other ids and the earlier contents that posts lack; in a transaction."""
    query = "SELECT id FROM posts WHERE account_id = ? AND platform_id = ?"
    for platform_id, post in known:
        (post_id,) = connection.execute(query, (account_id, platform_id)).fetchone()
        _fill_numbers(connection, post_id, post)
        for row in post.rows.get("post_aliases", ()):
            insert_new(
                connection, "post_aliases", post_id=post_id, scheme=row["scheme"],
                value=row["value"],
            )  # fmt: skip
        _fill_revisions(connection, post_id, run_id, post)


def _fill_numbers(connection: sqlite3.Connection, post_id: int, post: TransferredPost) -> None:
    """Numbers of the post, and of its attachments: one is the same where its source and key are."""
    query = """
        SELECT source, key, id FROM attachments WHERE post_id = :post
         UNION ALL
        SELECT own.source, own.key, attachments.id FROM attachments
          JOIN attachment_sources AS own ON own.attachment_id = attachments.id
         WHERE post_id = :post
    """
    rows = connection.execute(query, {"post": post_id})
    here = {(source, key): attachment_id for source, key, attachment_id in rows}
    own = {row["id"]: here.get((row["source"], row["key"]))
           for row in post.rows.get("attachments", ())} | {0: 0}  # fmt: skip
    for row in post.rows.get("metrics", ()):
        if (attachment_id := own.get(row["attachment_id"])) is not None:
            insert_new(
                connection, "metrics", post_id=post_id, attachment_id=attachment_id,
                name=row["name"], seen_at=row["seen_at"], value=row["value"],
            )  # fmt: skip


def _fill_revisions(
    connection: sqlite3.Connection, post_id: int, run_id: int, post: TransferredPost
) -> None:
    """Contents from before the first one that is known here; they are history, and no edits."""
    query = """
        SELECT number, seen_at, source, content_version, content_sha256, wording_sha256
          FROM revisions WHERE post_id = ? ORDER BY number
    """
    rows = connection.execute(query, (post_id,)).fetchall()
    if not rows:
        return
    known = {each for row in rows for each in row[4:]} - {None}
    readers = {row[2:4] for row in rows}
    begin, newest = min(row[1] for row in rows), rows[-1][0]
    number = newest
    for row in post.rows.get("revisions", ()):
        hashes = {row["content_sha256"], row["wording_sha256"]} - {None}
        reader = (row["source"], row["content_version"])
        is_comparable = row["wording_sha256"] is not None or reader in readers
        if row["seen_at"] < begin and is_comparable and not known & hashes:
            known |= hashes
            number += 1
            own = {name: row[name] for name in _OF_REVISION}
            insert(
                connection, "revisions", **own, post_id=post_id, number=number, edit=0,
                why="other_source", run_id=run_id,
            )  # fmt: skip
    if number > newest:
        keep_attached(connection, post_id, newest, number)
