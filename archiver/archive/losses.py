"""Files that were stored and are lost or damaged: how they are marked, and recovered.

The row of a lost file keeps its hash and gets `lost_at`; its renditions wait to be fetched again
and keep `media_sha256`. Only the same bytes recover it. Where the source has other bytes by now,
the rendition gets those, and the old file stays marked as lost.
"""

import json
import sqlite3
from collections.abc import Iterable

from archiver.archive import playlists
from archiver.archive.rows import insert, update
from archiver.archive.storage_totals import track_totals
from archiver.reasons import Reason, columns

LOST = Reason("lost", "lost here")
"""The reason of a rendition whose file was stored and is to be fetched again."""


def mark_lost(connection: sqlite3.Connection, sha256: str, at: str) -> int:
    """Note that a file is lost, and queue its renditions; returns how many. In a transaction."""
    with track_totals(connection, [sha256]):
        lost = update(connection, "media", "sha256 = ? AND lost_at IS NULL", (sha256,), lost_at=at)
    if lost:
        note(connection, sha256, _last_run(connection), at, "lost", sha256)
    pictures = update(
        connection, "account_pictures", "media_sha256 = ? AND state = 'stored'", (sha256,),
        state="pending", **columns(LOST), tries=0, next_try_at=None,
    )  # fmt: skip
    return pictures + update(
        connection, "renditions",
        "media_sha256 = ? AND state IN ('stored', 'not_offered')", (sha256,),
        state="pending", **columns(LOST), tries=0, next_try_at=None,
    )  # fmt: skip


def mark_recovered(
    connection: sqlite3.Connection, sha256: str, run_id: int | None, at: str
) -> None:
    """Note that a file is intact again, for all that use it. In a transaction."""
    with track_totals(connection, [sha256]):
        update(connection, "media", "sha256 = ?", (sha256,), lost_at=None)
    query = "SELECT content_type FROM media WHERE sha256 = ?"
    (content_type,) = connection.execute(query, (sha256,)).fetchone()
    is_playlist = content_type in playlists.TYPES
    update(
        connection, "renditions", "media_sha256 = ? AND state NOT IN ('stored', 'not_offered')",
        (sha256,), state="not_offered" if is_playlist else "stored",
        **columns(playlists.MANIFEST_ONLY if is_playlist else None), tries=0, next_try_at=None,
    )  # fmt: skip
    update(
        connection, "account_pictures", "media_sha256 = ? AND state <> 'stored'", (sha256,),
        state="stored", **columns(None), tries=0, next_try_at=None,
    )  # fmt: skip
    note(connection, sha256, run_id or _last_run(connection), at, "recovered", sha256)


def mark_found_intact(connection: sqlite3.Connection, intact: Iterable[str], at: str) -> int:
    """Mark as recovered those of these intact files that were marked as lost; returns how many."""
    query = """
        SELECT sha256 FROM media
         WHERE lost_at IS NOT NULL AND sha256 IN (SELECT value FROM json_each(?)) ORDER BY 1
    """
    back = connection.execute(query, (json.dumps(list(intact)),)).fetchall()
    for (sha256,) in back:
        mark_recovered(connection, sha256, None, at)
    return len(back)


def note(
    connection: sqlite3.Connection, sha256: str, run_id: int, at: str, what: str, reason: str
) -> None:
    """Add an event for every attachment that a file belongs to, or belonged to."""
    query = """
        SELECT DISTINCT post_id, attachments.id FROM renditions
          JOIN attachments ON attachments.id = attachment_id
         WHERE media_sha256 = ? ORDER BY 1, 2
    """
    for post_id, attachment_id in connection.execute(query, (sha256,)).fetchall():
        insert(
            connection, "events", post_id=post_id, run_id=run_id, at=at, what=what,
            attachment_id=attachment_id, reason=reason,
        )  # fmt: skip


def _last_run(connection: sqlite3.Connection) -> int:
    run_id: int = connection.execute("SELECT max(id) FROM runs").fetchone()[0]
    return run_id
