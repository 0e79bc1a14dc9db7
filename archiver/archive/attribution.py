"""Who did something with the archive, and with which versions: the columns that say so."""

import sqlite3
from typing import Any

from archiver.actors import actor
from archiver.archive.rows import insert
from archiver.canonical import canonical_json
from archiver.environment import environment
from archiver.models import current_time


def attribution(connection: sqlite3.Connection, configured: str | None = None) -> dict[str, Any]:
    """The columns `actor` and `environment_id` for a row that is written now; in a transaction.

    `configured` is the actor of the config. Versions that the newest row of `environments` does
    not have are added to it.
    """
    versions = canonical_json(environment()).decode()
    query = "SELECT id, versions FROM environments ORDER BY id DESC LIMIT 1"
    environment_id, newest = connection.execute(query).fetchone() or (None, None)
    if newest != versions:
        now = current_time()
        environment_id = insert(connection, "environments", seen_at=now, versions=versions)
    return {"actor": actor(configured), "environment_id": environment_id}
