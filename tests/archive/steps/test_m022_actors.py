"""The twenty-second step: older runs have no actor, and stay as intact as they were."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from archiver.archive.database import writer
from archiver.archive.schema import migrations
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.old_archive import unpack


def test_older_runs_keep_their_hashes_to_which_the_ledger_commits(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    query = "SELECT id, started_at, row_sha256 FROM runs ORDER BY id"
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        migrations.apply(Database(connection), stop_before={"m022_actors"})
        connection.commit()
        before = connection.execute(query).fetchall()
    with writer(directory) as connection:
        assert connection.execute(query).fetchall() == before
        assert connection.execute("SELECT DISTINCT actor FROM runs").fetchall() == [(None,)]
    assert before
    assert verify(directory, Scope(), "2026-03-03T09:00:00.000Z").damage == []
