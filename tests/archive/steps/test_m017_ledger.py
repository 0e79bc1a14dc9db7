"""The seventeenth step: an older archive begins its ledger with commitments to all that it has."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.archive.database import DATABASE, reader, writer
from archiver.archive.facts import ROW_HASHED
from archiver.archive.ledger import LEDGER_TABLES
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.old_archive import unpack

NOW = "2026-11-23T00:00:00.000Z"


def test_the_first_entries_commit_to_every_row_of_every_table(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    with writer(directory) as connection:
        for table in set(ROW_HASHED) - LEDGER_TABLES:
            query = "SELECT coalesce(sum(count), 0) FROM ledger_rows WHERE table_name = ?"
            (count,) = connection.execute(query, (table,)).fetchone()
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)
        entries = [json.loads(text) for (text,) in connection.execute("SELECT entry FROM ledger")]
    assert len(entries) > 10
    assert all(entry["happened"] == {"ledger_begun": 1} for entry in entries)


def test_an_upgraded_archive_verifies(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    with writer(directory):
        pass
    assert "ledger" not in {finding.what for finding in verify(directory, Scope(), NOW).damage}


def test_a_row_that_was_damaged_before_is_not_made_whole_by_it(tmp_path: Path) -> None:
    directory = unpack(tmp_path / "archive")
    with closing(sqlite3.connect(directory / DATABASE)) as connection:
        connection.execute("UPDATE posts SET text = CAST(x'ff' AS TEXT) WHERE id = 1")
        connection.execute("UPDATE metrics SET value = 17 WHERE post_id = 1")
        connection.commit()
    with reader(directory):
        pass
    found = {finding.subject for finding in verify(directory, Scope(), NOW).damage}
    assert "posts 1" in found
    assert any(subject.startswith("metrics 1 /") for subject in found)
