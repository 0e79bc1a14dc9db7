"""The fourteenth step: what was logged before is kept, and is intact as before."""

import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.archive.database import writer
from archiver.archive.hashed_rows import with_hash, write_rows
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.old_archive import apply_steps_before, unpack

AT = "2026-03-03T09:00:00.000Z"


def test_an_older_log_is_kept_and_its_rows_are_intact(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        apply_steps_before(connection, "m014_care_errors")
        row = {
            "id": 1, "what": "copy", "finished_at": AT, "outcome": "done", "files": 3, "bytes": 30,
            "damaged": 0, "target": "/mnt/copy",
        }  # fmt: skip
        write_rows(connection, "care", [with_hash("care", row)])
        connection.commit()
    with writer(directory) as connection:
        found = connection.execute("SELECT what, target, files, error_code FROM care").fetchall()
    assert found == [("copy", "/mnt/copy", 3, None)]
    assert verify(directory, Scope(), AT).damage == []
