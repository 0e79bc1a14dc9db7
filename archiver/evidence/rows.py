"""Checks rows: each against its hash, each table against its checksum, and their references."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from archiver.archive.hashed_rows import CHECKSUM_MASK, checksum_of, key_of
from archiver.archive.intact import accept_invalid_text, is_intact
from archiver.archive.row_objects import column_names, mappings
from archiver.archive.rows import key_condition
from archiver.archive.storage_totals import ALL_COUNTS, ARCHIVE_TOTAL
from archiver.evidence.findings import BadRow, Finding, Verified
from archiver.evidence.slices import WHOLE, Range, Slice

Reopen = Callable[[], AbstractContextManager[sqlite3.Connection]]
"""Opens another connection to the same database, for the second reading."""

_BATCH = 500
_KINDS_WITH_FILES = "('image', 'video', 'gif', 'audio')"


class _Rule(NamedTuple):
    """A rule beyond foreign keys: what is wrong with a row of `table` that breaks it.

    `query` gives the table that is named, and the row. Where it has `{within}`, it can be asked of
    a range of `column`, and has to begin with the table whose column that is.
    """

    detail: str
    table: str
    column: str
    query: str


_RULES = (
    _Rule("has the state stored, but no file", "renditions", "id", """
        SELECT 'renditions', id FROM renditions
         WHERE {within} AND state = 'stored' AND media_sha256 IS NULL"""),
    _Rule("has the state stored, but its file is marked as lost", "renditions", "id", """
        SELECT 'renditions', renditions.id FROM renditions CROSS JOIN media ON sha256 = media_sha256
         WHERE {within} AND state = 'stored' AND lost_at IS NOT NULL"""),
    _Rule("has a file, but not the state stored", "renditions", "id", """
        SELECT 'renditions', renditions.id FROM renditions CROSS JOIN media ON sha256 = media_sha256
         WHERE {within} AND state NOT IN ('stored', 'not_offered') AND lost_at IS NULL"""),
    _Rule("names a file that no rendition has", "media_origins", "id", """
        SELECT 'media_origins', media_origins.id FROM media_origins
         CROSS JOIN media ON sha256 = media_origins.media_sha256 AND lost_at IS NULL
         WHERE {within} AND NOT EXISTS (SELECT 1 FROM renditions
                WHERE renditions.media_sha256 = media_origins.media_sha256)"""),
    _Rule("has a path that does not match its hash", "media", "sha256", """
        SELECT 'media', sha256 FROM media WHERE {within}
           AND path NOT LIKE 'media/' || substr(sha256, 1, 2) || '/' || sha256 || '.%'"""),
    _Rule("has no rendition, though its kind has files", "attachments", "id", f"""
        SELECT 'attachments', id FROM attachments
         WHERE {{within}} AND kind IN {_KINDS_WITH_FILES}
           AND NOT EXISTS (SELECT 1 FROM renditions WHERE attachment_id = attachments.id)"""),
    _Rule("has content, but no revision of it", "post_sources", "post_id", """
        SELECT 'posts', post_id FROM post_sources WHERE {within} AND content_sha256 IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM revisions WHERE post_id = post_sources.post_id)"""),
    _Rule("has other content than its last revision", "post_sources", "post_id", """
        SELECT 'posts', post_sources.post_id FROM post_sources
         CROSS JOIN revisions ON revisions.post_id = post_sources.post_id AND number =
               (SELECT max(number) FROM revisions AS r WHERE r.post_id = post_sources.post_id)
         WHERE {within} AND post_sources.content_version = revisions.content_version
           AND post_sources.content_sha256 <> revisions.content_sha256
           AND NOT EXISTS (SELECT 1 FROM post_sources AS other
                WHERE other.post_id = post_sources.post_id
                  AND other.source <> post_sources.source)"""),
    _Rule("lacks one of its revisions", "revisions", "post_id", """
        SELECT 'posts', post_id FROM revisions WHERE {within} GROUP BY post_id
        HAVING count(*) <> max(number) OR min(number) <> 1"""),
    _Rule("has no row in post_sources", "posts", "id", """
        SELECT 'posts', id FROM posts
         WHERE {within} AND NOT EXISTS (SELECT 1 FROM post_sources WHERE post_id = posts.id)"""),
    _Rule("does not match the number or size of the files", "storage_totals", "", f"""
        SELECT 'storage_totals', account_id FROM (
            SELECT account_id, files, size FROM storage_totals
             WHERE files <> 0 OR account_id = {ARCHIVE_TOTAL}
             UNION ALL
            SELECT account_id, files, size FROM ({ALL_COUNTS}))
         GROUP BY account_id HAVING count(*) <> 2 OR min(files) <> max(files)
             OR min(size) <> max(size)"""),
    _Rule("has no event that says when it was first seen", "posts", "id", """
        SELECT 'posts', id FROM posts WHERE {within} AND NOT EXISTS
               (SELECT 1 FROM events WHERE post_id = posts.id AND what = 'seen')"""),
)  # fmt: skip


def check_references(connection: sqlite3.Connection, part: Slice = WHOLE) -> Iterator[Finding]:
    """Find rows that contradict each other, and files that no rendition uses."""
    accept_invalid_text(connection)
    for rule in _RULES:
        for table, row_id in _breaking(connection, rule, part):
            yield Finding("reference", f"{table} {row_id}", rule.detail)
    query = """
        SELECT path FROM media WHERE sha256 BETWEEN ? AND ? AND lost_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM renditions WHERE media_sha256 = sha256)
           AND NOT EXISTS (SELECT 1 FROM account_pictures WHERE media_sha256 = sha256)
           AND NOT EXISTS (SELECT 1 FROM media_origins WHERE playlist_sha256 = sha256)
    """
    for (path,) in connection.execute(query, part.hashes()):
        yield Finding("leftover", path, "neither a rendition nor a picture of an account uses it")


def _breaking(
    connection: sqlite3.Connection, rule: _Rule, part: Slice
) -> Iterator[tuple[str, object]]:
    """Which rows of a slice break a rule. Totals are of the whole archive, and in one slice."""
    if not rule.column:
        if part.has(rule.detail):
            yield from connection.execute(rule.query)
        return
    query = rule.query.format(within=f"{rule.table}.{rule.column} BETWEEN ? AND ?")
    for ends in part.ranges(connection, rule.table, rule.column):
        yield from connection.execute(query, ends)


def check_rows(
    connection: sqlite3.Connection, table: str, reopen: Reopen, result: Verified,
    part: Slice = WHOLE,
) -> Iterator[Finding]:  # fmt: skip
    """Check each row of a table against its hash, and all against the table's checksum.

    The number of rows, and those found damaged in two readings, are added to `result`. Of a slice
    the rows that are in it are checked, and in one of all slices the checksum.
    """
    count, total, suspects = _read_table(connection, table, part)
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
    if part.is_whole:
        yield from _check_totals(connection, table, count, total)
    elif part.has(f"checksum of {table}"):
        yield from _check_totals(connection, table, *_count(connection, table))


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


def _count(connection: sqlite3.Connection, table: str) -> tuple[int, int]:
    """How many rows a table has, and the sum of the hashes that they have."""
    accept_invalid_text(connection)
    cursor = connection.execute(f"SELECT row_sha256 FROM {table}")
    count = total = 0
    while rows := cursor.fetchmany(_BATCH):
        count += len(rows)
        total += checksum_of(str(digest) for (digest,) in rows)
    return count, total & CHECKSUM_MASK


_Found = tuple[int, int, list[tuple[object, ...]]]
"""How many rows there are, the sum of their hashes, and the keys of suspect rows."""


def _read_table(connection: sqlite3.Connection, table: str, part: Slice) -> _Found:
    try:
        return _read_all(connection, table, part)
    except sqlite3.OperationalError as error:
        if "decode" not in str(error).lower():
            raise
        accept_invalid_text(connection)  # only now: it makes reading of millions of rows slower
        return _read_all(connection, table, part)


def _read_all(connection: sqlite3.Connection, table: str, part: Slice) -> _Found:
    count = total = 0
    suspects = []
    for ends in part.ranges(connection, table):
        found = _read_range(connection, table, ends)
        count += found[0]
        total += found[1]
        suspects += found[2]
    return count, total & CHECKSUM_MASK, suspects


def _read_range(connection: sqlite3.Connection, table: str, ends: Range) -> _Found:
    key = key_of(table)
    cursor = connection.execute(
        f"SELECT {', '.join(key)}, * FROM {table} WHERE {key[0]} BETWEEN ? AND ?", ends
    )
    columns = column_names(cursor)[len(key) :]
    count = total = 0
    suspects = []
    while rows := cursor.fetchmany(_BATCH):
        count += len(rows)
        hashes = []
        for found in rows:
            row = dict(zip(columns, found[len(key) :], strict=True))
            hashes.append(str(row["row_sha256"]))
            if not is_intact(table, row):
                suspects.append(found[: len(key)])
        total += checksum_of(hashes)
    return count, total, suspects


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
