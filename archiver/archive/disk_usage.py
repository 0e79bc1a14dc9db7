"""How much space files take, by account, year and kind; reads only."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from archiver.archive.facts import DATABASE
from archiver.archive.row_objects import objects
from archiver.archive.storage_totals import ARCHIVE_TOTAL, storage_totals

# the inner rows come in the order of an index that has all three columns, so that memory does not
# grow with the archive, and files are looked up in the order of their own table
_BY_ALL = """
    SELECT accounts.name AS account, year, kind, count(*) AS files, sum(size) AS size FROM (
        SELECT account_id, media_sha256, coalesce(substr(min(published_at), 1, 4), '') AS year
          FROM renditions INDEXED BY renditions_media
         WHERE media_sha256 IS NOT NULL GROUP BY media_sha256, account_id)
     CROSS JOIN (
        SELECT sha256, size, CASE WHEN content_type LIKE 'image/%' THEN 'image'
                                  WHEN content_type LIKE 'video/%' THEN 'video'
                                  WHEN content_type LIKE 'audio/%' THEN 'audio'
                                  ELSE 'other' END AS kind
          FROM media WHERE lost_at IS NULL) ON sha256 = media_sha256
     CROSS JOIN accounts ON accounts.id = account_id
     GROUP BY accounts.id, year, kind ORDER BY accounts.name, year, kind
"""


@dataclass(frozen=True, slots=True)
class FileUsage:
    """Files of one account, year and kind. The year is that of the oldest post with the file."""

    account: str
    year: str
    kind: str
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """What an archive takes, in bytes.

    A file that several accounts share is in the `parts` of each, and in `files` and `size` once,
    as are files that no post has, such as pictures of profiles. `database` is the size of the
    database with its log, `earlier` that of copies of it from before upgrades.
    """

    parts: tuple[FileUsage, ...]
    files: int
    size: int
    database: int
    earlier: int


def disk_usage_of(connection: sqlite3.Connection, directory: Path) -> DiskUsage:
    """What the archive in a folder takes."""
    files, size = storage_totals(connection).get(ARCHIVE_TOTAL, (0, 0))
    return DiskUsage(
        parts=tuple(objects(connection.execute(_BY_ALL), FileUsage)),
        files=files,
        size=size,
        database=_size_of(directory / f"{DATABASE}{end}" for end in ("", "-wal", "-shm")),
        earlier=_size_of(directory.glob(f"{DATABASE}.before-*")),
    )


def summed(
    parts: Iterable[FileUsage], key: Callable[[FileUsage], str]
) -> dict[str, tuple[int, int]]:
    """Files and bytes of those parts that have the same key, in the order of the keys."""
    sums: dict[str, tuple[int, int]] = {}
    for part in parts:
        files, size = sums.get(key(part), (0, 0))
        sums[key(part)] = (files + part.files, size + part.size)
    return dict(sorted(sums.items()))


def _size_of(paths: Iterable[Path]) -> int:
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total
