"""Settings change: what was left out because of one, or refused, is looked at again."""

import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import Any

from archiver.archive.attachments import Choice
from archiver.archive.database import transaction
from archiver.archive.rows import update
from archiver.canonical import attachment_keys, media_key
from archiver.errors import RecordError
from archiver.models import Attachment, Post

_BY_SETTING = ("videos=", "thumbnails=")
_LEFT_OUT = """
    role = ? AND media_key = ? AND state = 'skipped' AND reason IS NOT ?
    AND attachment_id = (SELECT id FROM attachments WHERE post_id = ? AND key = ?)
"""


def reapply_media_settings(
    connection: sqlite3.Connection, account_ids: Collection[int], current: Collection[str],
    read: Callable[[int, Any], Post], choose: Callable[[Attachment], Sequence[Choice]],
) -> int:  # fmt: skip
    """Bring rows that were skipped by a setting in line with today's; returns how many changed.

    `current` are the reasons that today's settings give (`videos=best`): rows skipped for one of
    them are as they should be. `read` reads the record of a post of an account.
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


# the few reasons that there are, by leaps in their index: most files are left out for today's
_REASONS = """
    WITH RECURSIVE reasons(reason) AS (
        SELECT min(reason) FROM renditions WHERE state = 'skipped'
         UNION ALL
        SELECT (SELECT min(reason) FROM renditions
                 WHERE state = 'skipped' AND reason > reasons.reason)
          FROM reasons WHERE reason IS NOT NULL)
"""


def _posts(
    connection: sqlite3.Connection, account_ids: Collection[int], current: Collection[str]
) -> list[tuple[int, int, str]]:
    by_setting = " OR ".join(f"reasons.reason LIKE '{start}%'" for start in _BY_SETTING)
    query = f"""
        {_REASONS}
        SELECT DISTINCT account_id, posts.id, raw
          FROM reasons
         CROSS JOIN renditions ON renditions.reason = reasons.reason AND state = 'skipped'
         CROSS JOIN attachments ON attachments.id = attachment_id
         CROSS JOIN posts ON posts.id = post_id
         WHERE ({by_setting}) AND reasons.reason NOT IN (SELECT value FROM json_each(?))
           AND account_id IN (SELECT value FROM json_each(?))
    """
    parameters = (json.dumps(list(current)), json.dumps(list(account_ids)))
    return connection.execute(query, parameters).fetchall()


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
            of_attachment = (rendition.role, media_key(rendition), reason, post_id, key)
            changed += update(
                connection, "renditions", _LEFT_OUT, of_attachment, state=state, reason=reason
            )
    return changed
