"""How many files each account has in the archive, and their size, updated with each change.

Counting all of them takes a minute for a million posts. So the files of a change are counted before
and after it, and the difference is added: it does not matter what the change was, nor that two
posts, or two accounts, may share a file.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from archiver.archive.hashed_rows import with_hash
from archiver.archive.rows import delete, insert, replace_all_rows, update

ARCHIVE_TOTAL = 0
"""In place of an account: the archive as a whole, in which every file counts once."""

_Counts = Mapping[int, tuple[int, int]]
"""Files and bytes, by account."""

# joined in this order: from the few files in question to whom they belong
_COUNTS_OF_FILES = """
    SELECT account_id, count(*), sum(size) FROM (
        SELECT DISTINCT account_id, sha256, size FROM json_each(?)
         CROSS JOIN media ON sha256 = value AND lost_at IS NULL
         CROSS JOIN renditions ON media_sha256 = sha256)
     GROUP BY account_id
     UNION ALL
    SELECT 0, count(*), coalesce(sum(size), 0) FROM media
     WHERE sha256 IN (SELECT value FROM json_each(?)) AND lost_at IS NULL
"""
ALL_COUNTS = """
    SELECT account_id, count(*) AS files, sum(size) AS size FROM (
        SELECT DISTINCT account_id, sha256, size FROM renditions
         CROSS JOIN media ON sha256 = media_sha256 AND lost_at IS NULL
         WHERE media_sha256 IS NOT NULL)
     GROUP BY account_id
     UNION ALL
    SELECT 0, count(*), coalesce(sum(size), 0) FROM media WHERE lost_at IS NULL
"""
"""Query: what `storage_totals` should have, counted from the rows of the files."""


@contextmanager
def track_totals(connection: sqlite3.Connection, hashes: Iterable[str]) -> Iterator[None]:
    """Update the totals after the block has changed rows of these files; in a transaction."""
    asked = (json.dumps(list(hashes)),) * 2
    before = _counts(connection, _COUNTS_OF_FILES, asked)
    yield
    after = _counts(connection, _COUNTS_OF_FILES, asked)
    for account_id in before.keys() | after.keys():
        old, new = before.get(account_id, (0, 0)), after.get(account_id, (0, 0))
        if old != new:
            _add(connection, account_id, new[0] - old[0], new[1] - old[1])


def storage_totals(connection: sqlite3.Connection) -> dict[int, tuple[int, int]]:
    """Files and bytes by account; under `ARCHIVE_TOTAL`, of the archive."""
    query = "SELECT account_id, files, size FROM storage_totals"
    return {account_id: (files, size) for account_id, files, size in connection.execute(query)}


def rebuild_totals(connection: sqlite3.Connection) -> bool:
    """Count all files anew, after rows were restored; returns whether the totals were wrong."""
    counts = _counts(connection, ALL_COUNTS)
    rows = [
        with_hash("storage_totals", {"account_id": account_id, "files": files, "size": size})
        for account_id, (files, size) in sorted(counts.items())
    ]
    existing = connection.execute(
        "SELECT account_id, files, size, row_sha256 FROM storage_totals ORDER BY account_id"
    )
    wrong = existing.fetchall() != [tuple(row.values()) for row in rows]
    if wrong:
        replace_all_rows(connection, "storage_totals", rows)
    return wrong


def _counts(
    connection: sqlite3.Connection, query: str, parameters: tuple[str, ...] = ()
) -> _Counts:
    return {row[0]: (row[1], row[2]) for row in connection.execute(query, parameters)}


def _add(connection: sqlite3.Connection, account_id: int, files: int, size: int) -> None:
    query = "SELECT files, size FROM storage_totals WHERE account_id = ?"
    existing = connection.execute(query, (account_id,)).fetchone()
    if existing is None:
        insert(connection, "storage_totals", account_id=account_id, files=files, size=size)
        return
    sums = {"files": existing[0] + files, "size": existing[1] + size}
    if sums["files"] or account_id == ARCHIVE_TOTAL:
        update(connection, "storage_totals", "account_id = ?", (account_id,), **sums)
    else:
        delete(connection, "storage_totals", "account_id = ?", (account_id,))
