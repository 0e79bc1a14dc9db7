"""Third step: files are named by what of their query names them; playlists are no videos.

What it writes is its own, as it was when the step was released; only the keys of addresses come
from live code. Their results are pinned by its test: whoever changes `address_key` copies the
function of before into this step.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from archiver.archive.steps.rebuild import CHECKSUM_MASK, hash_number
from archiver.canonical import row_sha256
from archiver.media_keys import address_key

TIMELINE = """
CREATE VIEW timeline AS
    -- All posts, newest first, as a person would read them.
    SELECT posts.id, posts.created_at, posts.platform, accounts.name AS account, posts.kind,
           coalesce(posts.title || char(10), '') || coalesce(posts.text, '') AS text,
           posts.url,
           (SELECT count(*) FROM attachments WHERE post_id = posts.id) AS attached,
           (SELECT media.path FROM attachments
              JOIN renditions ON attachment_id = attachments.id AND state = 'stored'
              JOIN media ON sha256 = media_sha256
             WHERE post_id = posts.id ORDER BY position, role = 'original' DESC LIMIT 1) AS media,
           posts.edited_at, posts.removed_at
      FROM posts JOIN accounts ON accounts.id = posts.account_id
     ORDER BY posts.created_at DESC, posts.id;
"""

_AT_ONCE = 1000
_PLAYLISTS = ("application/vnd.apple.mpegurl", "application/dash+xml")
_LINK_TARGET = {
    "state": "skipped", "reason_code": "link_target", "setting": None,
    "reason": "the target of a link", "next_try_at": None,
}  # fmt: skip
_MANIFEST_ONLY = {
    "state": "not_offered", "reason_code": "manifest_only", "setting": None,
    "reason": "offered only as a playlist",
}  # fmt: skip
_WANTED = {"state": "pending", "reason_code": None, "setting": None, "reason": None}
_NUMBER = re.compile(r"#\d+$")


def apply(connection: sqlite3.Connection) -> None:
    """Apply the step; in a transaction."""
    connection.execute("DROP VIEW IF EXISTS timeline")
    connection.execute(TIMELINE.strip())
    _rename_files(connection)
    _correct_playlists(connection)
    links = """
        SELECT id FROM renditions
         WHERE role IN ('original', 'variant') AND state IN ('pending', 'failed', 'refused')
           AND attachment_id IN (SELECT id FROM attachments WHERE kind = 'link')
    """
    _change(connection, "renditions", _ids(connection, links), _LINK_TARGET)


def _ids(connection: sqlite3.Connection, query: str, *parameters: object) -> list[int]:
    return [row_id for (row_id,) in connection.execute(query, parameters)]


def _change(
    connection: sqlite3.Connection, table: str, ids: Iterable[int], values: Mapping[str, object]
) -> None:
    _update_rows(connection, table, dict.fromkeys(ids, values))


def _update_rows(
    connection: sqlite3.Connection, table: str, values: Mapping[int, Mapping[str, object]]
) -> None:
    """Change columns of rows by their ids, with their hashes and the checksum of their table.

    A row that does not match its hash keeps that hash, and so is still found damaged.
    """
    moved = 0
    for row_id, changed in values.items():
        cursor = connection.execute(f"SELECT * FROM {table} WHERE id = ?", (row_id,))
        names = [description[0] for description in cursor.description]
        row: dict[str, Any] = dict(zip(names, cursor.fetchone(), strict=True))
        old = row["row_sha256"]
        is_intact = row_sha256(table, row) == old
        row |= changed
        new = row_sha256(table, row) if is_intact else old
        assignments = ", ".join(f"{name} = ?" for name in (*changed, "row_sha256"))
        connection.execute(
            f"UPDATE {table} SET {assignments} WHERE id = ?", (*changed.values(), new, row_id)
        )
        if is_intact:
            moved += hash_number(new) - hash_number(old)
    connection.execute(
        f"UPDATE table_checksums SET sum = (sum + ?) & {CHECKSUM_MASK} WHERE name = ?",
        (moved & CHECKSUM_MASK, table),
    )


def _rename_files(connection: sqlite3.Connection) -> None:
    """Extend media keys that were only a path by the query parameters that identify the file."""
    query = """
        SELECT renditions.id, attachment_id, post_id, media_key, renditions.url, key
          FROM renditions JOIN attachments ON attachment_id = attachments.id
         WHERE renditions.url LIKE '%?%' AND media_key <> '' ORDER BY renditions.id
    """
    keys: dict[int, dict[str, object]] = {}
    attachments: dict[int, dict[int, str]] = {}
    for row_id, attachment_id, post_id, key, url, attachment_key in connection.execute(query):
        old, new = _path(url), address_key(url)
        if old == new:
            continue
        if key == old:
            keys[row_id] = {"media_key": new}
        if _NUMBER.sub("", attachment_key) == old:
            attachments.setdefault(post_id, {}).setdefault(attachment_id, new)
    for some in _batches(keys):
        _update_rows(connection, "renditions", some)
    for post_id, renamed in attachments.items():
        _update_rows(connection, "attachments", _attachment_keys(connection, post_id, renamed))


def _batches(rows: dict[int, dict[str, object]]) -> Iterator[dict[int, dict[str, object]]]:
    items = iter(rows.items())
    while some := dict(islice(items, _AT_ONCE)):
        yield some


def _attachment_keys(
    connection: sqlite3.Connection, post_id: int, renamed: Mapping[int, str]
) -> dict[int, dict[str, object]]:
    """The new keys of a post's attachments; repeated ones are numbered."""
    query = "SELECT id, key, platform_id FROM attachments WHERE post_id = ? ORDER BY position, id"
    seen: Counter[str] = Counter()
    found: dict[int, dict[str, object]] = {}
    for row_id, key, platform_id in connection.execute(query, (post_id,)).fetchall():
        if platform_id is not None or row_id not in renamed:
            seen[key] += 1
            continue
        new = renamed[row_id]
        seen[new] += 1
        found[row_id] = {"key": new if seen[new] == 1 else f"{new}#{seen[new]}"}
    return found


def _path(url: str) -> str:
    """The key of a file before this step."""
    try:
        return urlsplit(url).path or url
    except ValueError:
        return url


def _correct_playlists(connection: sqlite3.Connection) -> None:
    """Mark playlists that were stored as the video, and queue stills that were skipped for them.

    The playlist itself stays stored.
    """
    is_playlist = """
        state = 'stored' AND media_sha256 IN (
            SELECT sha256 FROM media WHERE content_type IN (?, ?))
    """
    of = f"SELECT DISTINCT attachment_id FROM renditions WHERE {is_playlist}"
    attachments = _ids(connection, of, *_PLAYLISTS)
    playlists = _ids(connection, f"SELECT id FROM renditions WHERE {is_playlist}", *_PLAYLISTS)
    _change(connection, "renditions", playlists, _MANIFEST_ONLY)
    stills = """
        SELECT id FROM renditions
         WHERE attachment_id = ? AND state = 'skipped' AND reason_code = 'setting_thumbnails'
    """
    for attachment_id in attachments:
        _change(connection, "renditions", _ids(connection, stills, attachment_id), _WANTED)
