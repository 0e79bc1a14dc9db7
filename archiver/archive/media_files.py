"""Rows of media files by hash, for what serves the files."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from archiver.archive.row_objects import objects

SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file of the archive, as its row describes it. Sizes are in pixels."""

    sha256: str
    path: str
    content_type: str
    width: int | None = None
    height: int | None = None


def pictures_since(connection: sqlite3.Connection, stored_after: str) -> Iterator[ArchivedFile]:
    """The pictures that were stored after a time, newest first; a copy of the rows, not a cursor.

    Of each only its hash is kept until it is its turn.
    """
    query = """
        SELECT sha256 FROM media WHERE stored_at > ? AND lost_at IS NULL
           AND content_type LIKE 'image/%' ORDER BY stored_at DESC
    """
    names = [bytes.fromhex(sha256) for (sha256,) in connection.execute(query, (stored_after,))]
    return (found for name in names if (found := find_media(connection, name.hex())) is not None)


def find_media(connection: sqlite3.Connection, sha256: str) -> ArchivedFile | None:
    """The row of a hash; None where the archive has no such file, or has lost it."""
    if not SHA256.fullmatch(sha256):
        return None
    cursor = connection.execute(
        "SELECT sha256, path, content_type, width, height FROM media "
        "WHERE sha256 = ? AND lost_at IS NULL", (sha256,),
    )  # fmt: skip
    return next(objects(cursor, ArchivedFile), None)
