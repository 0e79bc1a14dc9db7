"""What a post that is here lacks, and another archive has of it: older numbers, ids, and files.

Nothing that is here changes: neither the words of a post nor what happened to it. So nothing that
another archive says can make an edit, or a removal, that was none.
"""

import sqlite3
from collections.abc import Sequence

from archiver.archive.queue import QueuedFile
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert_new
from archiver.archive.transfer import TransferredPost

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


def fill_numbers(
    connection: sqlite3.Connection, account_id: int, known: Sequence[tuple[str, TransferredPost]]
) -> None:
    """Add the numbers and the other ids that posts lack here; in a transaction."""
    query = "SELECT id FROM posts WHERE account_id = ? AND platform_id = ?"
    for platform_id, post in known:
        (post_id,) = connection.execute(query, (account_id, platform_id)).fetchone()
        for row in post.rows.get("metrics", ()):
            if row["attachment_id"] == 0:
                insert_new(
                    connection, "metrics", post_id=post_id, attachment_id=0, name=row["name"],
                    seen_at=row["seen_at"], value=row["value"],
                )  # fmt: skip
        for row in post.rows.get("post_aliases", ()):
            insert_new(
                connection, "post_aliases", post_id=post_id, scheme=row["scheme"],
                value=row["value"],
            )  # fmt: skip
