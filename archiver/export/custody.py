"""Who had the posts of an export in hands: captured, verified and exported them, and when."""

import sqlite3
from typing import Any

from archiver.archive.checkpoints import origin
from archiver.archive.row_objects import mappings
from archiver.export.folder import ExportFolder
from archiver.version import version


def custody(connection: sqlite3.Connection, folder: ExportFolder, made_by: str) -> dict[str, Any]:
    """The custody manifest of an export; runs and verifications are counted by who made them.

    `checkpoint` is the newest one of the archive, as text with its signatures; None without one.
    """
    heading = folder.heading
    newest = connection.execute("SELECT note FROM checkpoints ORDER BY id DESC LIMIT 1").fetchone()
    (entries,) = connection.execute("SELECT count(*) FROM ledger").fetchone()
    return {
        "archive": heading.archive, "log": origin(connection), "entries": entries,
        "checkpoint": newest[0] if newest else None,
        "signing_keys": list(mappings(connection.execute(_KEYS))),
        "captured": list(mappings(connection.execute(_RUNS))),
        "verified": list(mappings(connection.execute(_VERIFIED))),
        "exported": {
            "at": heading.made_at, "by": made_by, "version": version(),
            "selection": heading.selection, "posts": folder.posts, "files": folder.files,
            "bytes": folder.size, "not_included": folder.not_included,
        },
    }  # fmt: skip


_KEYS = "SELECT public_key, since, reason, at FROM signing_keys ORDER BY id"
_RUNS = """
    SELECT actor AS "by", version, count(*) AS runs, min(started_at) AS first,
           max(started_at) AS last
      FROM runs GROUP BY actor, version ORDER BY first
"""
_VERIFIED = """
    SELECT actor AS "by", outcome, count(*) AS times, min(finished_at) AS first,
           max(finished_at) AS last
      FROM care WHERE what = 'verify' GROUP BY actor, outcome ORDER BY first
"""
