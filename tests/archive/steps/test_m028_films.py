"""The twenty-eighth step: only comments differ, in an older archive as in a new one."""

import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.archive.database import writer
from archiver.archive.schema import model
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.old_archive import apply_steps_before, unpack

AT = "2026-03-03T09:00:00.000Z"
WORDS = {
    "renditions": "cover, subtitles",
    "events": "resolved, imported",
    "media_origins": "imported: a",
}


def test_an_older_archive_gets_the_comments_of_a_new_one_and_stays_intact(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        apply_steps_before(connection, "m017_ledger", "m028_films")
    with writer(directory) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        sql = "SELECT sql FROM sqlite_master WHERE name = ?"
        for table, words in WORDS.items():
            (made,) = connection.execute(sql, (table,)).fetchone()
            assert words in made
            assert (made,) == model().execute(sql, (table,)).fetchone()
    assert found == [("ok",)]
    assert verify(directory, Scope(), AT).damage == []
