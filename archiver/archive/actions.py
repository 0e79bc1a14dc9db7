"""What people did with the archive that leaves its posts as they are.

That is: a review of a post, an export, a change of the configuration. Each is a row of `actions`,
to which the ledger commits.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from archiver.archive.attribution import attribution
from archiver.archive.database import writer
from archiver.archive.row_objects import mappings
from archiver.archive.rows import insert
from archiver.archive.transactions import transaction
from archiver.errors import StorageError

ActionKind = Literal["review", "export", "configuration_change"]

_BUSY_MS = 1_000  # how long to wait for another program that writes to the database


@dataclass(frozen=True, slots=True)
class Action:
    """One action, as in the table `actions`. `post_id` and `note` are those of a review."""

    id: int
    at: str
    what: str
    actor: str
    post_id: int | None
    note: str | None
    details: Mapping[str, Any]


def add_action(
    connection: sqlite3.Connection, what: ActionKind, at: str, actor: str | None = None, *,
    post_id: int | None = None, note: str | None = None, details: Mapping[str, Any] | None = None,
) -> int:  # fmt: skip
    """Add an action; returns its id. `actor` is the one of the config, if it names one."""
    with transaction(connection):
        return insert(
            connection, "actions", at=at, what=what, post_id=post_id, note=note,
            details=None if details is None else json.dumps(details, sort_keys=True),
            **attribution(connection, actor),
        )  # fmt: skip


def log_export(
    directory: Path, at: str, actor: str | None, details: Mapping[str, Any]
) -> bool:  # fmt: skip
    """Add an export that was made to the archive in `directory`; returns whether it could be.

    Where another program holds the lock, or the disk is full or read-only, the export is as good.
    """
    with (
        suppress(StorageError),
        writer(directory, create=False, busy_ms=_BUSY_MS) as connection,
    ):
        add_action(connection, "export", at, actor, details=details)
        return True
    return False


def record_settings(
    connection: sqlite3.Connection, settings: Mapping[str, Any], at: str, actor: str | None = None
) -> bool:
    """Add a change of the configuration where these settings are not those of the newest one.

    `settings` are JSON values by name, without secrets. Returns whether there was a change.
    """
    if settings_on_record(connection) == settings:
        return False
    add_action(connection, "configuration_change", at, actor, details=settings)
    return True


def settings_on_record(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """The settings of the newest run; None where none has recorded any."""
    found = list(_actions(connection, "what = 'configuration_change' ORDER BY id DESC LIMIT 1", ()))
    return dict(found[0].details) if found else None


def reviews_of(connection: sqlite3.Connection, post_id: int) -> list[Action]:
    """The reviews of a post, the oldest first."""
    return list(_actions(connection, "what = 'review' AND post_id = ? ORDER BY id", (post_id,)))


def actions_between(
    connection: sqlite3.Connection, what: ActionKind, since: str, until: str
) -> Iterator[Action]:
    """The actions of a kind from a time on, and before another one."""
    where = "what = ? AND at >= ? AND at < ? ORDER BY id"
    return _actions(connection, where, (what, since, until))


def _actions(
    connection: sqlite3.Connection, where: str, parameters: tuple[object, ...]
) -> Iterator[Action]:
    columns = "id, at, what, actor, post_id, note, details"
    rows = mappings(connection.execute(f"SELECT {columns} FROM actions WHERE {where}", parameters))
    for row in rows:
        yield Action(**{**row, "details": json.loads(row["details"] or "{}")})
