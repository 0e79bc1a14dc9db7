"""The origin of files that were made here from downloaded parts: rows of `media_origins`."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from archiver.archive.rows import delete, insert, update

How = Literal["joined", "remuxed", "resolved", "downloaded", "imported"]


class MediaOrigin(Struct, frozen=True):
    """What a file was made of, and with what; see the table."""

    how: How
    resolver: str
    version: str | None = None
    page_url: str | None = None
    playlists: Sequence[Mapping[str, object]] = ()
    segments: Sequence[Mapping[str, object]] = ()
    details: Mapping[str, object] | None = None


def add_origin(
    connection: sqlite3.Connection, rendition_id: int, sha256: str, origin: MediaOrigin, at: str,
    playlist: str | None = None,
) -> None:  # fmt: skip
    """Note how the file of a rendition came about; in a transaction.

    `playlist` is the SHA-256 of the playlist's file, where the rendition held one until now.
    """
    insert(
        connection, "media_origins", media_sha256=sha256, rendition_id=rendition_id, made_at=at,
        how=origin.how, resolver=origin.resolver, version=origin.version,
        page_url=origin.page_url, playlists=_json(origin.playlists),
        segments=_json(origin.segments), playlist_sha256=playlist, details=_json(origin.details),
    )  # fmt: skip


def move_origins(connection: sqlite3.Connection, rendition_id: int, target: int) -> None:
    """Give what is known of one rendition's file to another that has it too; in a transaction."""
    for table in ("media_origins", "resolutions"):
        update(connection, table, "rendition_id = ?", (rendition_id,), rendition_id=target)


def delete_origins(
    connection: sqlite3.Connection, renditions: str, parameters: tuple[object, ...]
) -> None:
    """Remove what is known of the files of renditions that a condition finds; in a transaction."""
    query = f"rendition_id IN (SELECT id FROM renditions WHERE {renditions})"
    for table in ("media_origins", "resolutions"):
        delete(connection, table, query, parameters)


def _json(value: Any) -> str | None:
    if not value:
        return None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
