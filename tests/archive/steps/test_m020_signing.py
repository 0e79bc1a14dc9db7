"""The twentieth step: an older archive has no keys yet, and what was altered before stays named."""

import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.archive.database import DATABASE, writer
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.forging import forge
from support.old_archive import apply_steps_before, unpack

NOW = "2026-11-23T00:00:00.000Z"


def test_a_row_that_was_altered_with_all_hashes_is_named_after_the_upgrade(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    with closing(sqlite3.connect(directory / DATABASE, isolation_level=None)) as connection:
        apply_steps_before(connection, "m020_signing")
        name = forge(connection, "posts", "TRUE", text="We never said so")
    with writer(directory) as connection:
        for table in ("signing_keys", "restores"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    found = {finding.subject for finding in verify(directory, Scope(), NOW).damage}
    assert name in found
