"""What the config knows of an archive beside it: checkpoints, their time stamps, and the key."""

import sqlite3

from archiver.config import Config
from archiver.evidence.findings import Finding
from archiver.evidence.kept_stamps import check_kept_stamps
from archiver.evidence.known_heads import KnownHead
from archiver.evidence.restored import heads_of, key_findings
from archiver.evidence.stamped import check_time_stamps


def known_elsewhere(
    connection: sqlite3.Connection, config: Config
) -> tuple[list[KnownHead], list[Finding]]:
    """All checkpoints that are known, and what is wrong with the time stamps and the key.

    The checkpoints are for `verify`, which holds the ledger against them.
    """
    heads, found = heads_of(connection, config)
    found += key_findings(connection, config)
    found += check_time_stamps(connection, config)
    return heads, list(dict.fromkeys([*found, *check_kept_stamps(connection, config)]))
