"""Merging attachments of two sources that turn out to have the same bytes.

Where neither an id nor their position showed that they are one, each was fetched. Attachments whose
files then have the same bytes become one, with the keys of both sources.
"""

import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from archiver.archive.origins import move_origins
from archiver.archive.row_objects import objects
from archiver.archive.rows import delete, insert_new, update, update_row
from archiver.archive.storage_totals import track_totals
from archiver.archive.transactions import transaction


class _AttachmentPair(NamedTuple):
    """Two attachments of one post with the same bytes; the second is merged into the first."""

    first: int
    second: int
    source: str
    key: str
    sha256: str


_SAME = """
    SELECT one.id AS first, two.id AS second, two.source, two.key, other.media_sha256 AS sha256
      FROM renditions CROSS JOIN attachments AS one ON one.id = renditions.attachment_id
     CROSS JOIN renditions AS other ON other.media_sha256 = renditions.media_sha256
     CROSS JOIN attachments AS two ON two.id = other.attachment_id
     WHERE renditions.account_id = ? AND renditions.state = 'stored' AND other.state = 'stored'
       AND renditions.role IN ('original', 'variant') AND other.role IN ('original', 'variant')
       AND two.post_id = one.post_id AND two.source <> one.source AND one.id < two.id
       AND NOT EXISTS (SELECT 1 FROM attachment_sources AS own
            WHERE own.attachment_id = one.id AND own.source = two.source)
       AND NOT EXISTS (SELECT 1 FROM events WHERE events.post_id = one.post_id
            AND events.attachment_id = two.id)
     GROUP BY two.id ORDER BY two.id
"""


def merge_same_files(connection: sqlite3.Connection, account_ids: Collection[int]) -> int:
    """Merge attachments that have the same file; returns how many were merged into others."""
    merged = 0
    for account_id in account_ids:
        sources = """
            SELECT count(DISTINCT source) + EXISTS (SELECT 1 FROM packages WHERE account_id = :id)
              FROM coverage WHERE account_id = :id
        """
        if connection.execute(sources, {"id": account_id}).fetchone()[0] < 2:
            continue
        taken: set[int] = set()
        for pair in list(objects(connection.execute(_SAME, (account_id,)), _AttachmentPair)):
            if not taken & {pair.first, pair.second}:
                taken |= {pair.first, pair.second}
                _merge_attachments(connection, pair)
                merged += 1
    return merged


def _merge_attachments(connection: sqlite3.Connection, pair: _AttachmentPair) -> None:
    query = """
        SELECT id, role, media_key, media_sha256 FROM renditions WHERE attachment_id = ?
    """
    renditions = connection.execute(query, (pair.second,)).fetchall()
    existing = "SELECT id FROM renditions WHERE attachment_id = ? AND role = ? AND media_key = ?"
    hashes = {row[3] for row in renditions if row[3]}
    with transaction(connection), track_totals(connection, hashes):
        for row_id, role, key, _ in renditions:
            if same := connection.execute(existing, (pair.first, role, key)).fetchone():
                move_origins(connection, row_id, same[0])
                delete(connection, "renditions", "id = ?", (row_id,))
            else:
                update_row(connection, "renditions", row_id, attachment_id=pair.first)
        _fill_blanks(connection, pair)
        delete(connection, "metrics", "attachment_id = ?", (pair.second,))
        delete(connection, "attachment_sources", "attachment_id = ?", (pair.second,))
        delete(connection, "attachments", "id = ?", (pair.second,))
        insert_new(
            connection, "attachment_sources", attachment_id=pair.first, source=pair.source,
            key=pair.key, matched_by="bytes",
        )  # fmt: skip


def _fill_blanks(connection: sqlite3.Connection, pair: _AttachmentPair) -> None:
    """Fill the empty columns of the first attachment from the second."""
    names = ("alt_text", "platform_id", "width", "height", "duration_ms")
    query = f"SELECT last_revision, {', '.join(names)} FROM attachments WHERE id = ?"
    own, other = (
        connection.execute(query, (row_id,)).fetchone() for row_id in (pair.first, pair.second)
    )
    values = {
        name: theirs if mine is None else mine
        for name, mine, theirs in zip(names, own[1:], other[1:], strict=True)
    }
    values["last_revision"] = max(own[0] or 0, other[0] or 0)
    update(connection, "attachments", "id = ?", (pair.first,), **values)
