"""The pictures of custom emoji in the texts of posts."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence

from archiver.archive.post_sources import CUSTOM_EMOJI
from archiver.media_keys import address_key

_EXTRA = """
    SELECT post_id, posts.account_id, post_sources.extra
      FROM post_sources JOIN posts ON posts.id = post_id
     WHERE post_id IN (SELECT value FROM json_each(?)) AND post_sources.extra IS NOT NULL
"""
_STORED = """
    SELECT account_id, media_key, media_sha256 FROM account_pictures
     WHERE account_id IN (SELECT value FROM json_each(?)) AND kind = 'emoji' AND state = 'stored'
       AND media_key IN (SELECT value FROM json_each(?))
"""


def custom_emoji(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """The hashes of the stored pictures of these posts, by post id and shortcode."""
    if not _has_any(connection):
        return {}
    named = [
        (post_id, account_id, shortcode, address_key(url))
        for post_id, account_id, extra in connection.execute(_EXTRA, (json.dumps(list(ids)),))
        for shortcode, url in _addresses(extra).items()
    ]
    accounts = json.dumps(sorted({account_id for _, account_id, _, _ in named}))
    keys = json.dumps(sorted({key for *_, key in named}))
    stored = {(row[0], row[1]): row[2] for row in connection.execute(_STORED, (accounts, keys))}
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for post_id, account_id, shortcode, key in named:
        if sha256 := stored.get((account_id, key)):
            found[post_id][shortcode] = sha256
    return found


def _has_any(connection: sqlite3.Connection) -> bool:
    """Whether the archive has custom emoji; a published copy lacks the tables."""
    tables = "SELECT count(*) FROM sqlite_master WHERE name IN ('account_pictures', 'post_sources')"
    if connection.execute(tables).fetchone()[0] < 2:
        return False
    query = "SELECT EXISTS (SELECT 1 FROM account_pictures WHERE kind = 'emoji')"
    return bool(connection.execute(query).fetchone()[0])


def _addresses(extra: str) -> dict[str, str]:
    """The addresses of a post's emoji by shortcode; none where the row is damaged."""
    try:
        value = json.loads(extra)[CUSTOM_EMOJI]["value"]
        return {code: url for code, url in value.items() if isinstance(url, str)}
    except (ValueError, TypeError, LookupError, AttributeError):
        return {}
