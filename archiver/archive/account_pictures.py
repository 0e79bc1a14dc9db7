"""Avatars, banners and custom emoji of accounts: those that wait to be fetched, and the results.

They are few and small: they are fetched at the end of a run, and their rows are written one by one.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from archiver.archive.losses import mark_recovered
from archiver.archive.queue import IS_DUE, MEDIA_TRIES, due_parameters, retry_wait
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert, update_row
from archiver.archive.storage_totals import track_totals
from archiver.archive.transactions import transaction
from archiver.canonical import media_key
from archiver.models import Identity, Rendition, timestamp
from archiver.reasons import Reason, columns

MOST_EMOJI = 1000
"""So many custom emoji of an account are fetched; a server may name any number of them."""


class WaitingPicture(Struct, frozen=True):
    """One picture to fetch; `kind` is avatar, banner or emoji."""

    id: int
    account_id: int
    kind: str
    url: str
    expected_sha256: str | None
    tries: int
    reason_code: str | None


class StoredPicture(Struct, frozen=True):
    """The file of a picture, as the store has it."""

    sha256: str
    path: str
    size: int
    content_type: str
    width: int | None
    height: int | None


def queue_pictures(
    connection: sqlite3.Connection, account_id: int, source: str, identity: Identity, at: str
) -> None:
    """Queue new pictures of an account's profile; of known ones, save the newest address."""
    profile = (("avatar", identity.avatar), ("banner", identity.banner))
    pictures = [(kind, picture) for kind, picture in profile if picture is not None]
    _queue(connection, account_id, source, pictures, at)


def queue_emoji(
    connection: sqlite3.Connection, account_id: int, source: str, emoji: Mapping[str, str], at: str
) -> None:
    """Queue the pictures of a post's custom emoji that are new to its account.

    Beyond `MOST_EMOJI` none are added.
    """
    pictures = [("emoji", Rendition("original", url)) for url in dict.fromkeys(emoji.values())]
    query = "SELECT count(*) FROM account_pictures WHERE account_id = ? AND kind = 'emoji'"
    room = MOST_EMOJI - connection.execute(query, (account_id,)).fetchone()[0]
    _queue(connection, account_id, source, pictures, at, room)


def _queue(
    connection: sqlite3.Connection, account_id: int, source: str,
    pictures: Iterable[tuple[str, Rendition]], at: str, room: int = 2,
) -> None:  # fmt: skip
    """Add at most `room` new pictures; of known ones, save the newest address."""
    for kind, picture in pictures:
        if not picture.url:
            continue
        query = """
            SELECT id, url, state FROM account_pictures
             WHERE account_id = ? AND kind = ? AND media_key = ?
        """
        key = media_key(picture)
        existing = connection.execute(query, (account_id, kind, key)).fetchone()
        if existing is not None:
            if existing[2] in {"pending", "failed"} and existing[1] != picture.url:
                update_row(connection, "account_pictures", existing[0], url=picture.url)
        elif room > 0:
            room -= 1
            insert(
                connection, "account_pictures", account_id=account_id, source=source, kind=kind,
                media_key=key, url=picture.url, expected_sha256=picture.sha256, state="pending",
                tries=0, first_seen_at=at,
            )  # fmt: skip


def waiting_pictures(
    connection: sqlite3.Connection, account_ids: Collection[int], now: str
) -> list[WaitingPicture]:
    """The pictures of these accounts that are to be fetched now."""
    query = f"""
        SELECT id, account_id, kind, url, expected_sha256, tries, reason_code FROM account_pictures
         WHERE account_id IN (SELECT value FROM json_each(:accounts))
           AND (state = 'pending' OR (state = 'failed' AND {IS_DUE})) ORDER BY id
    """
    parameters = {"accounts": json.dumps(list(account_ids)), **due_parameters(now)}
    return list(objects(connection.execute(query, parameters), WaitingPicture))


def stored_picture(connection: sqlite3.Connection, sha256: str) -> StoredPicture | None:
    """The stored file of a hash; None where it is not stored."""
    query = """
        SELECT sha256, path, size, content_type, width, height FROM media
         WHERE sha256 = ? AND lost_at IS NULL
    """
    row = connection.execute(query, (sha256,)).fetchone()
    return None if row is None else StoredPicture(*row)


def save_picture(
    connection: sqlite3.Connection, picture: WaitingPicture, file: StoredPicture, at: str
) -> None:
    """Save that a picture is stored; its file is durable already."""
    query = "SELECT lost_at FROM media WHERE sha256 = ?"
    with transaction(connection):
        existing = connection.execute(query, (file.sha256,)).fetchone()
        if existing is None:
            with track_totals(connection, [file.sha256]):
                insert(
                    connection, "media", sha256=file.sha256, path=file.path, size=file.size,
                    content_type=file.content_type, width=file.width, height=file.height,
                    duration_ms=None, stored_at=at,
                )  # fmt: skip
        elif existing[0] is not None:
            mark_recovered(connection, file.sha256, None, at)
        update_row(
            connection, "account_pictures", picture.id, state="stored", **columns(None),
            media_sha256=file.sha256, tries=0, next_try_at=None,
        )  # fmt: skip


def save_failure(
    connection: sqlite3.Connection, picture: WaitingPicture, state: str, reason: Reason,
    now: datetime,
) -> None:  # fmt: skip
    """Save that a picture could not be fetched."""
    tries = picture.tries + 1 if picture.reason_code == reason.code else 1
    if reason.code == "not_found" and tries >= MEDIA_TRIES:
        state = "gone"
    wait = retry_wait(reason.code, tries)
    with transaction(connection):
        update_row(
            connection, "account_pictures", picture.id, state=state, **columns(reason), tries=tries,
            next_try_at=timestamp(now + wait) if state == "failed" else None,
        )  # fmt: skip
