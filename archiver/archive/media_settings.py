"""Settings change: what was left out because of one, or refused, is looked at again."""

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from archiver.archive.database import transaction
from archiver.archive.rows import update
from archiver.canonical import attachment_keys, media_key
from archiver.errors import RecordError
from archiver.models import Attachment, Post
from archiver.reasons import Choice, columns

_LEFT_OUT = """
    role = ? AND media_key = ? AND state = 'skipped'
    AND (reason_code, coalesce(setting, '')) IS NOT (?, coalesce(?, ''))
    AND attachment_id = (SELECT id FROM attachments WHERE post_id = ? AND key = ?)
"""


def reapply_media_settings(
    connection: sqlite3.Connection, account_ids: Collection[int], current: Mapping[str, str],
    read: Callable[[int, Any], Post], choose: Callable[[Attachment], Sequence[Choice]],
) -> int:  # fmt: skip
    """Bring rows that were skipped by a setting in line with today's; returns how many changed.

    `current` is the value of each setting, by its reason code: rows that were skipped for that
    very value are as they should be. `read` reads the record of a post of an account.
    """
    changed = 0
    with transaction(connection):
        for account_id, post_id, raw in _posts(connection, account_ids, current):
            try:
                post = read(account_id, json.loads(raw))
            except (RecordError, ValueError):
                continue
            changed += _choose_for(connection, post_id, post, choose)
    return changed


# both halves are ranges of an index: nearly all files that are left out are so by today's value
_BY_ANOTHER_VALUE = " UNION ALL ".join(
    f"""
        SELECT attachment_id, account_id FROM renditions
         WHERE state = 'skipped' AND reason_code = :code AND setting {sign} :value
           AND account_id IN (SELECT value FROM json_each(:accounts))
    """
    for sign in "<>"
)
_POSTS = f"""
    SELECT DISTINCT skipped.account_id, posts.id, raw FROM ({_BY_ANOTHER_VALUE}) AS skipped
     CROSS JOIN attachments ON attachments.id = attachment_id
     CROSS JOIN posts ON posts.id = post_id
"""


def _posts(
    connection: sqlite3.Connection, account_ids: Collection[int], current: Mapping[str, str]
) -> list[tuple[int, int, str]]:
    accounts = json.dumps(list(account_ids))
    found = {
        row[1]: row
        for code, value in current.items()
        for row in connection.execute(_POSTS, {"code": code, "value": value, "accounts": accounts})
    }
    return list(found.values())


def _choose_for(
    connection: sqlite3.Connection, post_id: int, post: Post,
    choose: Callable[[Attachment], Sequence[Choice]],
) -> int:  # fmt: skip
    changed = 0
    keys = attachment_keys(post.attachments)
    for key, attachment in zip(keys, post.attachments, strict=True):
        for rendition, (state, reason) in zip(
            attachment.renditions, choose(attachment), strict=True
        ):
            told = columns(reason)
            found = (
                rendition.role, media_key(rendition), told["reason_code"], told["setting"],
                post_id, key,
            )  # fmt: skip
            changed += update(connection, "renditions", _LEFT_OUT, found, state=state, **told)
    return changed
