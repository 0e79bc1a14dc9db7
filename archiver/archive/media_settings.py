"""A changed media setting: it is applied to the files that the old one skipped.

The rows of an attachment's renditions are enough to select among them, so no record is parsed. Rows
are read in batches, in the order of their ids: memory does not grow with the archive, and the
caller can stop between two batches.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from msgspec import Struct

from archiver.archive.row_objects import mappings
from archiver.archive.rows import update_rows
from archiver.archive.transactions import transaction
from archiver.models import Attachment, Rendition
from archiver.reasons import Choice, columns

BATCH = 500

# the few distinct values, each by one index lookup: most rows have the value of today
_OTHER_VALUES = """
    WITH RECURSIVE held(setting) AS (
        SELECT min(setting) FROM renditions WHERE state = 'skipped' AND reason_code = :code
         UNION ALL
        SELECT (SELECT min(setting) FROM renditions
                 WHERE state = 'skipped' AND reason_code = :code AND setting > held.setting)
          FROM held WHERE setting IS NOT NULL)
    SELECT setting FROM held WHERE setting IS NOT NULL AND setting <> :value
"""


class AppliedBatch(Struct, frozen=True):
    """The result of a batch of skipped files: the last row's id, how many, how many changed."""

    last_id: int
    rows: int
    changed: int


def outdated_settings(
    connection: sqlite3.Connection, current: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The settings that files were skipped for and that have changed since, as (code, value).

    `current` has today's value of each setting, by its reason code.
    """
    return [
        (code, setting)
        for code, value in current.items()
        for (setting,) in connection.execute(_OTHER_VALUES, {"code": code, "value": value})
    ]


def apply_batch(
    connection: sqlite3.Connection, account_ids: Collection[int], outdated: tuple[str, str],
    after: int, choose: Callable[[Attachment], Sequence[Choice]],
) -> AppliedBatch | None:  # fmt: skip
    """Apply the settings to the next files of these accounts that an outdated setting skipped.

    `after` is the id of the last row of the batch before, 0 at first. One transaction; returns
    None when nothing is left.
    """
    with transaction(connection):
        rows = _skipped(connection, account_ids, outdated, after)
        if not rows:
            return None
        chosen: dict[int, Choice] = {}
        for renditions in _of_attachments(connection, {row[1] for row in rows}):
            choices = choose(_attachment(renditions))
            ids = (row["id"] for row in renditions)
            chosen.update(zip(ids, choices, strict=True))
        changed = {
            row_id: {"state": state, **columns(reason)}
            for row_id, _ in rows
            for state, reason in (chosen[row_id],)
            if (state, reason and (reason.code, reason.setting)) != ("skipped", outdated)
        }
        update_rows(connection, "renditions", changed)
    return AppliedBatch(rows[-1][0], len(rows), len(changed))


def _skipped(
    connection: sqlite3.Connection, account_ids: Collection[int], outdated: tuple[str, str],
    after: int,
) -> list[tuple[int, int]]:  # fmt: skip
    """The next rows that a setting has skipped, as (id, attachment_id)."""
    query = """
        SELECT id, attachment_id FROM renditions
         WHERE state = 'skipped' AND reason_code = :code AND setting = :setting AND id > :after
           AND account_id IN (SELECT value FROM json_each(:accounts))
         ORDER BY id LIMIT :limit
    """
    parameters = {
        "code": outdated[0], "setting": outdated[1], "after": after, "limit": BATCH,
        "accounts": json.dumps(list(account_ids)),
    }  # fmt: skip
    return connection.execute(query, parameters).fetchall()


def _of_attachments(
    connection: sqlite3.Connection, attachment_ids: Iterable[int]
) -> Iterable[list[Mapping[str, Any]]]:
    """All renditions of each attachment, in the order in which they were offered."""
    cursor = connection.execute(
        """
        SELECT renditions.id, attachment_id, kind, role, url, media_key, content_type,
               renditions.width, renditions.height, bitrate, state, reason_code
          FROM renditions JOIN attachments ON attachments.id = attachment_id
         WHERE attachment_id IN (SELECT value FROM json_each(?))
         ORDER BY attachment_id, renditions.id
        """,
        (json.dumps(sorted(attachment_ids)),),
    )
    groups = groupby(mappings(cursor), key=itemgetter("attachment_id"))
    return [list(group) for _, group in groups]


def _attachment(rows: Sequence[Mapping[str, Any]]) -> Attachment:
    """An attachment as its rows have it, as far as selecting renditions needs it."""
    return Attachment(
        kind=rows[0]["kind"],
        renditions=tuple(
            Rendition(
                role=row["role"], url=row["url"], absent=_absence(row),
                media_key=row["media_key"], content_type=row["content_type"],
                width=row["width"], height=row["height"], bitrate=row["bitrate"],
            )
            for row in rows
        ),
    )  # fmt: skip


def _absence(row: Mapping[str, Any]) -> Any:
    if row["state"] == "omitted":
        return "copyright"
    is_absent = row["state"] == "not_offered" or row["reason_code"] == "given_elsewhere"
    return "not_offered" if is_absent else None
