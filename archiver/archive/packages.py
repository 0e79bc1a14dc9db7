"""The rows of imported packages, and of the files that they have for posts."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archiver.archive.queue import QueuedFile
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert, insert_all, update, update_row
from archiver.archive.transactions import transaction

EXPORT = "export"
"""The source of everything that came in a package."""


@dataclass(frozen=True, slots=True)
class PackagePart:
    """One file of a package: its name, its size in bytes and its hash."""

    name: str
    size: int
    sha256: str


def begin_package(
    connection: sqlite3.Connection, parts: Iterable[PackagePart], **columns: Any
) -> int:
    """Add the row of a package that is being imported, and its parts; returns its id."""
    with transaction(connection):
        update(connection, "packages", "outcome = 'running'", (), outcome="interrupted")
        package_id = insert(connection, "packages", outcome="running", **columns)
        for part in parts:
            insert(
                connection, "package_parts", package_id=package_id, name=part.name, size=part.size,
                sha256=part.sha256,
            )  # fmt: skip
    return package_id


def end_package(
    connection: sqlite3.Connection, package_id: int, outcome: str, counts: Mapping[str, int]
) -> None:
    """Save the result of a package."""
    with transaction(connection):
        text = json.dumps(dict(counts), sort_keys=True)
        update_row(connection, "packages", package_id, outcome=outcome, counts=text)


def imported_before(connection: sqlite3.Connection, hashes: Collection[str]) -> str | None:
    """When a package of these very parts was last imported completely; None where it was not."""
    query = """
        SELECT max(imported_at) FROM packages
         WHERE outcome = 'done' AND NOT EXISTS (
               SELECT 1 FROM json_each(:hashes) WHERE value NOT IN (
                   SELECT sha256 FROM package_parts WHERE package_id = packages.id))
    """
    found: str | None = connection.execute(
        query, {"hashes": json.dumps(sorted(hashes))}
    ).fetchone()[0]
    return found


def note_posts(
    connection: sqlite3.Connection, account_id: int, package_id: int, record_ids: Iterable[str]
) -> None:
    """Note that a package showed these posts, unless a newer one has; in a transaction."""
    query = """
        SELECT post_id, newest.package_id, packages.exported_at > this.exported_at AS is_newer
          FROM post_sources CROSS JOIN posts ON posts.id = post_id
          LEFT JOIN package_posts AS newest USING (post_id)
          LEFT JOIN packages ON packages.id = newest.package_id
          JOIN packages AS this ON this.id = :package
         WHERE posts.account_id = :account AND source = :source
           AND record_id IN (SELECT value FROM json_each(:ids))
    """
    parameters = {
        "account": account_id, "package": package_id, "source": EXPORT,
        "ids": json.dumps(list(record_ids)),
    }  # fmt: skip
    found = connection.execute(query, parameters).fetchall()
    new = [
        {"post_id": post_id, "package_id": package_id}
        for post_id, known, _ in found
        if known is None
    ]
    insert_all(connection, "package_posts", new)
    for post_id, known, is_newer in found:
        if known is not None and not is_newer and known != package_id:
            update(connection, "package_posts", "post_id = ?", (post_id,), package_id=package_id)


def files_to_store(
    connection: sqlite3.Connection, account_id: int, record_ids: Iterable[str]
) -> list[QueuedFile]:
    """The files of these posts that exports have or link to, and that are not stored yet.

    A link that had expired may be in a newer export again.
    """
    query = """
        SELECT renditions.id AS rendition_id, attachments.id AS attachment_id,
               attachments.key AS attachment_key, posts.id AS post_id, renditions.account_id,
               renditions.source, record_id, attachments.kind, role, media_key,
               coalesce(renditions.url, '') AS url, renditions.content_type, tries, reason_code,
               expected_sha256, expected_size, media_sha256 AS lost, published_at
          FROM post_sources CROSS JOIN posts ON posts.id = post_sources.post_id
         CROSS JOIN attachments ON attachments.post_id = posts.id
         CROSS JOIN renditions ON renditions.attachment_id = attachments.id
         WHERE posts.account_id = :account AND post_sources.source = :source
           AND record_id IN (SELECT value FROM json_each(:ids))
           AND renditions.source = :source
           AND (state IN ('pending', 'failed') OR state = 'gone' AND reason_code = 'expired')
         ORDER BY renditions.id
    """
    parameters = {
        "account": account_id, "source": EXPORT, "ids": json.dumps(list(record_ids))
    }  # fmt: skip
    return list(objects(connection.execute(query, parameters), QueuedFile))


def held_hashes(connection: sqlite3.Connection, hashes: Collection[str]) -> set[str]:
    """Which of these files are stored already."""
    query = """
        SELECT sha256 FROM media
         WHERE lost_at IS NULL AND sha256 IN (SELECT value FROM json_each(?))
    """
    return {row[0] for row in connection.execute(query, (json.dumps(list(hashes)),))}
