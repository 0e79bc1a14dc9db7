"""Checks rows: each against its hash, each table against its checksum, and their references."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from archiver.archive.hashed_rows import CHECKSUM_MASK, checksum_of, key_of
from archiver.archive.intact import accept_invalid_text, is_intact
from archiver.archive.row_objects import column_names, mappings
from archiver.archive.rows import key_condition
from archiver.archive.storage_totals import ALL_COUNTS, ARCHIVE_TOTAL
from archiver.evidence.findings import BadRow, Finding, Verified

Reopen = Callable[[], AbstractContextManager[sqlite3.Connection]]
"""Opens another connection to the same database, for the second reading."""

_BATCH = 500
_KINDS_WITH_FILES = "('image', 'video', 'gif', 'audio')"
_REFERENCE_RULES = {
    "has the state stored, but no file": """
        SELECT 'renditions', id FROM renditions WHERE state = 'stored' AND media_sha256 IS NULL""",
    "has the state stored, but its file is marked as lost": """
        SELECT 'renditions', renditions.id FROM renditions JOIN media ON sha256 = media_sha256
         WHERE state = 'stored' AND lost_at IS NOT NULL""",
    "has a file, but not the state stored": """
        SELECT 'renditions', renditions.id FROM renditions JOIN media ON sha256 = media_sha256
         WHERE state NOT IN ('stored', 'not_offered') AND lost_at IS NULL""",
    "names a file that no rendition has": """
        SELECT 'media_origins', media_origins.id FROM media_origins
          JOIN media ON sha256 = media_origins.media_sha256 AND lost_at IS NULL
         WHERE NOT EXISTS (SELECT 1 FROM renditions
                WHERE renditions.media_sha256 = media_origins.media_sha256)""",
    "has a path that does not match its hash": """
        SELECT 'media', sha256 FROM media
         WHERE path NOT LIKE 'media/' || substr(sha256, 1, 2) || '/' || sha256 || '.%'""",
    "has no rendition, though its kind has files": f"""
        SELECT 'attachments', id FROM attachments WHERE kind IN {_KINDS_WITH_FILES}
           AND NOT EXISTS (SELECT 1 FROM renditions WHERE attachment_id = attachments.id)""",
    "has content, but no revision of it": """
        SELECT 'posts', post_id FROM post_sources WHERE content_sha256 IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM revisions WHERE post_id = post_sources.post_id)""",
    "has other content than its last revision": """
        SELECT 'posts', post_sources.post_id FROM post_sources
          JOIN revisions ON revisions.post_id = post_sources.post_id AND number =
               (SELECT max(number) FROM revisions AS r WHERE r.post_id = post_sources.post_id)
         WHERE post_sources.content_version = revisions.content_version
           AND post_sources.content_sha256 <> revisions.content_sha256
           AND NOT EXISTS (SELECT 1 FROM post_sources AS other
                WHERE other.post_id = post_sources.post_id
                  AND other.source <> post_sources.source)""",
    "lacks one of its revisions": """
        SELECT 'posts', post_id FROM revisions GROUP BY post_id
        HAVING count(*) <> max(number) OR min(number) <> 1""",
    "has no row in post_sources": """
        SELECT 'posts', id FROM posts
         WHERE NOT EXISTS (SELECT 1 FROM post_sources WHERE post_id = posts.id)""",
    "does not match the number or size of the files": f"""
        SELECT 'storage_totals', account_id FROM (
            SELECT account_id, files, size FROM storage_totals
             WHERE files <> 0 OR account_id = {ARCHIVE_TOTAL}
             UNION ALL
            SELECT account_id, files, size FROM ({ALL_COUNTS}))
         GROUP BY account_id HAVING count(*) <> 2 OR min(files) <> max(files)
             OR min(size) <> max(size)""",
    "has no event that says when it was first seen": """
        SELECT 'posts', id FROM posts WHERE NOT EXISTS
               (SELECT 1 FROM events WHERE post_id = posts.id AND what = 'seen')""",
}
"""Rules beyond foreign keys: the finding, and a query for the rows that break the rule."""


def check_references(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Find rows that contradict each other, and files that no rendition uses."""
    accept_invalid_text(connection)
    for detail, query in _REFERENCE_RULES.items():
        for table, row_id in connection.execute(query):
            yield Finding("reference", f"{table} {row_id}", detail)
    query = """
        SELECT sha256, path FROM media WHERE lost_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM renditions WHERE media_sha256 = sha256)
           AND NOT EXISTS (SELECT 1 FROM account_pictures WHERE media_sha256 = sha256)
           AND NOT EXISTS (SELECT 1 FROM media_origins WHERE playlist_sha256 = sha256)
    """
    for _, path in connection.execute(query):
        yield Finding("leftover", path, "neither a rendition nor a picture of an account uses it")


def check_rows(
    connection: sqlite3.Connection, table: str, reopen: Reopen, result: Verified
) -> Iterator[Finding]:
    """Check each row of a table against its hash, and all against the table's checksum.

    The number of rows, and those found damaged in two readings, are added to `result`.
    """
    count, total, suspects = _read_table(connection, table)
    result.rows += count
    bad = []
    if suspects:
        with reopen() as second:
            accept_invalid_text(second)
            bad = [key for key in suspects if not _is_intact(second, table, key)]
    for key in suspects:
        row = BadRow(table, key)
        if key in bad:
            result.bad_rows.append(row)
            yield Finding("changed_row", str(row), "its columns do not match its hash")
        else:
            yield Finding("unsteady", str(row), "wrong in the first reading, right in the second")
    yield from _check_totals(connection, table, count, total)


def _check_totals(
    connection: sqlite3.Connection, table: str, count: int, total: int
) -> Iterator[Finding]:
    expected = connection.execute("SELECT rows, sum FROM table_checksums WHERE name = ?", (table,))
    match expected.fetchone():
        case None:
            yield Finding("rows", table, "its stored checksum is missing")
        case (rows, _) if rows != count:
            yield Finding(
                "rows", table,
                f"rows changed outside archiver: there are {count:,}, and {rows:,} were written",
            )  # fmt: skip
        case (_, expected_sum) if expected_sum != total:
            yield Finding("rows", table, "rows changed outside archiver: another checksum")


def _read_table(
    connection: sqlite3.Connection, table: str
) -> tuple[int, int, list[tuple[object, ...]]]:
    """How many rows a table has, the sum of their hashes, and the keys of suspect rows."""
    try:
        return _read_all(connection, table)
    except sqlite3.OperationalError as error:
        if "decode" not in str(error).lower():
            raise
        accept_invalid_text(connection)  # only now: it makes reading of millions of rows slower
        return _read_all(connection, table)


def _read_all(
    connection: sqlite3.Connection, table: str
) -> tuple[int, int, list[tuple[object, ...]]]:
    keys = len(key_of(table))
    cursor = connection.execute(f"SELECT {', '.join(key_of(table))}, * FROM {table}")
    columns = column_names(cursor)[keys:]
    count = total = 0
    suspects = []
    while rows := cursor.fetchmany(_BATCH):
        count += len(rows)
        hashes = []
        for found in rows:
            row = dict(zip(columns, found[keys:], strict=True))
            hashes.append(str(row["row_sha256"]))
            if not is_intact(table, row):
                suspects.append(found[:keys])
        total += checksum_of(hashes)
    return count, total & CHECKSUM_MASK, suspects


def _is_intact(connection: sqlite3.Connection, table: str, key: tuple[object, ...]) -> bool:
    row = read_row(connection, table, key)
    return row is not None and is_intact(table, row)


def read_row(
    connection: sqlite3.Connection, table: str, key: tuple[object, ...]
) -> dict[str, Any] | None:
    """One row by its key; None where there is none."""
    condition, parameters = key_condition(table, key)
    cursor = connection.execute(f"SELECT * FROM {table} WHERE {condition}", parameters)
    return next(mappings(cursor), None)
