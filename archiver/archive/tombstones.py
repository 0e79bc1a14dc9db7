"""Tombstones: by what an erased post is known when a source shows it again.

A tombstone has a keyed hash of each id of the post, and nothing of its content. A post of a source
without ids is known by its time, within two seconds, where either of the two has no id of its
network.
"""

import hmac
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from archiver.archive.hashed_rows import clean_text
from archiver.archive.identity import is_generated_id, lookup_ids
from archiver.archive.rows import insert, insert_all
from archiver.models import CONTENT_SCHEMES, Post

SALT = "tombstone_salt"
"""The name of the key in the table `about`."""
_SALT_SIZE = 32
_SAME_TIME = 2  # seconds


def add_tombstones(connection: sqlite3.Connection, erasure_id: int, post_ids: str) -> None:
    """Add the tombstones of posts that are about to be erased; in a transaction.

    `post_ids` are the row ids of the posts as JSON.
    """
    salt = _salt(connection) or _new_salt(connection)
    found = {
        _commitment(salt, text)
        for account_id, platform, created_at, names in _names(connection, post_ids)
        for text in _texts(account_id, platform, created_at, names)
    }
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM tombstones").fetchone()
    rows = [
        {"id": number, "erasure_id": erasure_id, "commitment": commitment}
        for number, commitment in enumerate(sorted(found), last + 1)
    ]
    insert_all(connection, "tombstones", rows)


def add_account_tombstone(
    connection: sqlite3.Connection, erasure_id: int, platform: str, platform_id: str | None
) -> None:
    """Add the tombstone of an account whose profile is about to be erased; in a transaction."""
    if platform_id is None:
        return
    salt = _salt(connection) or _new_salt(connection)
    commitment = _commitment(salt, _of_account(platform, platform_id))
    insert(connection, "tombstones", erasure_id=erasure_id, commitment=commitment)


def is_erased_account(connection: sqlite3.Connection, platform: str, platform_id: str) -> bool:
    """Whether the profile of an account was erased."""
    return _is_among(connection, _of_account(platform, clean_text(platform_id)))


def erased_among(
    connection: sqlite3.Connection, account_id: int, platform: str, posts: Iterable[Post]
) -> frozenset[str]:
    """The ids of those of the posts that were erased."""
    salt = _salt(connection)
    if salt is None:  # nothing ever was
        return frozenset()
    asked: dict[str, str] = {}
    for post in posts:
        for text in _shown_texts(account_id, platform, post):
            asked[_commitment(salt, text)] = post.platform_id
    query = "SELECT commitment FROM tombstones WHERE commitment IN (SELECT value FROM json_each(?))"
    return frozenset(
        asked[commitment] for (commitment,) in connection.execute(query, (json.dumps(list(asked)),))
    )


def is_erased_id(connection: sqlite3.Connection, platform: str, record_id: str) -> bool:
    """Whether a post of this id was erased."""
    return _is_among(connection, _of_id(platform, clean_text(record_id)))


def _is_among(connection: sqlite3.Connection, text: str) -> bool:
    salt = _salt(connection)
    if salt is None:  # nothing ever was erased
        return False
    query = "SELECT 1 FROM tombstones WHERE commitment = ?"
    return connection.execute(query, (_commitment(salt, text),)).fetchone() is not None


def _salt(connection: sqlite3.Connection) -> bytes | None:
    row = connection.execute("SELECT value FROM about WHERE name = ?", (SALT,)).fetchone()
    return bytes.fromhex(row[0]) if row else None


def _new_salt(connection: sqlite3.Connection) -> bytes:
    salt = os.urandom(_SALT_SIZE)
    insert(connection, "about", name=SALT, value=salt.hex())
    return salt


def _commitment(salt: bytes, text: str) -> str:
    return hmac.new(salt, text.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def _names(
    connection: sqlite3.Connection, post_ids: str
) -> Iterator[tuple[int, str, str | None, list[str]]]:
    """Of each post its account, platform and time, and all its ids."""
    schemes = ", ".join(f"'{scheme}'" for scheme in sorted(CONTENT_SCHEMES))
    query = f"""
        SELECT account_id, platform, created_at, (
            SELECT json_group_array(name) FROM (
                SELECT platform_id AS name
                 UNION SELECT record_id FROM post_sources WHERE post_id = posts.id
                 UNION SELECT value FROM post_aliases
                        WHERE post_id = posts.id AND scheme NOT IN ({schemes})))
          FROM posts WHERE id IN (SELECT value FROM json_each(?))
    """
    for account_id, platform, created_at, names in connection.execute(query, (post_ids,)):
        yield account_id, platform, created_at, [name for name in json.loads(names) if name]


def _texts(
    account_id: int, platform: str, created_at: str | None, names: Sequence[str]
) -> Iterator[str]:
    """What is committed to, of one post."""
    for name in names:
        yield _of_id(platform, name)
    if created_at is not None:
        has_no_id = all(map(is_generated_id, names))
        yield from _of_times(account_id, "any" if has_no_id else "generated", created_at, 0)


def _shown_texts(account_id: int, platform: str, post: Post) -> Iterator[str]:
    """What a post that is shown is looked up by."""
    for name in (clean_text(post.platform_id), *lookup_ids(post)):
        yield _of_id(platform, name)
    if post.created_at is not None:
        kinds = ("any", "generated") if is_generated_id(post.platform_id) else ("any",)
        for kind in kinds:
            yield from _of_times(account_id, kind, post.created_at, _SAME_TIME)


def _of_id(platform: str, name: str) -> str:
    return f"id\n{platform}\n{name}"


def _of_account(platform: str, platform_id: str) -> str:
    return f"account\n{platform}\n{platform_id}"


def _of_times(account_id: int, kind: str, created_at: str, around: int) -> Iterator[str]:
    """The texts of the second, and of so many before and after it."""
    try:
        second = datetime.fromisoformat(created_at).replace(microsecond=0)
        for offset in range(-around, around + 1):
            yield f"time\n{account_id}\n{kind}\n{second + timedelta(seconds=offset):%Y%m%d%H%M%S}"
    except (ValueError, OverflowError):
        return
