"""Third step: files are named by what of their query names them; playlists are no videos."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from urllib.parse import urlsplit

from archiver.archive import playlists
from archiver.archive.rows import update, update_rows
from archiver.media_keys import address_key
from archiver.reasons import Reason, columns

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
_NUMBER = re.compile(r"#\d+$")


def apply(connection: sqlite3.Connection) -> None:
    """Bring rows to what the program writes today; in a transaction."""
    connection.execute("DROP VIEW IF EXISTS timeline")
    connection.execute(TIMELINE.strip())
    _name_anew(connection)
    _take_playlists_for_playlists(connection)
    update(
        connection, "renditions",
        "role IN ('original', 'variant') AND state IN ('pending', 'failed', 'refused') AND "
        "attachment_id IN (SELECT id FROM attachments WHERE kind = 'link')", (),
        state="skipped", **columns(Reason("link_target", "the target of a link")),
        next_try_at=None,
    )  # fmt: skip


def _name_anew(connection: sqlite3.Connection) -> None:
    """Names that were the path alone become the path and what of the query names the file."""
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
        update_rows(connection, "renditions", some)
    for post_id, renamed in attachments.items():
        update_rows(connection, "attachments", _attachment_keys(connection, post_id, renamed))


def _batches(rows: dict[int, dict[str, object]]) -> Iterator[dict[int, dict[str, object]]]:
    items = iter(rows.items())
    while some := dict(islice(items, _AT_ONCE)):
        yield some


def _attachment_keys(
    connection: sqlite3.Connection, post_id: int, renamed: Mapping[int, str]
) -> dict[int, dict[str, object]]:
    """The new keys of a post's attachments; repeated ones are numbered as they always are."""
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
    """What named a file before this step."""
    try:
        return urlsplit(url).path or url
    except ValueError:
        return url


def _take_playlists_for_playlists(connection: sqlite3.Connection) -> None:
    """What was stored as the video and is a playlist; stills that were skipped for it are wanted.

    The playlist itself stays.
    """
    is_playlist = """
        state = 'stored' AND media_sha256 IN (
            SELECT sha256 FROM media WHERE content_type IN (?, ?))
    """
    query = f"SELECT DISTINCT attachment_id FROM renditions WHERE {is_playlist}"
    of = [row[0] for row in connection.execute(query, playlists.TYPES).fetchall()]
    update(
        connection, "renditions", is_playlist, playlists.TYPES, state="not_offered",
        **columns(playlists.MANIFEST_ONLY),
    )  # fmt: skip
    for attachment_id in of:
        update(
            connection, "renditions",
            "attachment_id = ? AND state = 'skipped' AND reason_code = 'setting_thumbnails'",
            (attachment_id,), state="pending", **columns(None),
        )  # fmt: skip
