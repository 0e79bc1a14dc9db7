"""The twenty-second step: older runs have no actor, and stay as intact as they were."""

import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.archive.database import writer
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.old_archive import apply_steps_before, unpack


def test_older_runs_keep_their_hashes_to_which_the_ledger_commits(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    query = "SELECT id, started_at, row_sha256 FROM runs ORDER BY id"
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        apply_steps_before(connection, "m022_actors")
        before = connection.execute(query).fetchall()
    with writer(directory) as connection:
        assert connection.execute(query).fetchall() == before
        assert connection.execute("SELECT DISTINCT actor FROM runs").fetchall() == [(None,)]
    assert before
    assert verify(directory, Scope(), "2026-03-03T09:00:00.000Z").damage == []
