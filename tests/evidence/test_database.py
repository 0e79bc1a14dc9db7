"""The checks of a database: the same findings, whether one process reads it or several."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.database import DATABASE
from archiver.evidence import database
from archiver.evidence.files import Scope
from archiver.evidence.findings import Verified
from archiver.evidence.verify import verify

pytestmark = pytest.mark.slow

NOW = "2026-11-23T00:00:00.000Z"
DAMAGE = {
    "none": "SELECT 1",
    "a changed cell": "UPDATE posts SET text = text || '!'",
    "text that is no Unicode": "UPDATE posts SET url = CAST(x'ff' AS TEXT)",
    "a lost row": "DELETE FROM metrics WHERE rowid_is_one",
    "a row that belongs to none": "UPDATE post_sources SET content_sha256 = 'other'",
    "an index that is gone": "DROP INDEX posts_expiring",
    "a sum that is gone": "DELETE FROM table_checksums WHERE name = 'posts'",
    "sums that are gone": "DROP TABLE table_checksums",
}


def told(result: Verified) -> list[str]:
    return [f"{found.what} {found.subject}: {found.detail}" for found in result.findings]


def damage(archive: Path, statement: str) -> None:
    statement = statement.replace("rowid_is_one", "seen_at = (SELECT min(seen_at) FROM metrics)")
    connection = sqlite3.connect(archive / DATABASE)
    with connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("what", DAMAGE)
def test_several_processes_find_what_one_does(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    damage(archive, DAMAGE[what])
    same = shutil.copytree(archive, tmp_path / "same")  # verify writes what it has read
    alone = verify(archive, Scope(), NOW)
    monkeypatch.setattr(database, "_MANY_ROWS", 0)
    together = verify(same, Scope(), NOW)
    assert told(together) == told(alone)
    assert (together.rows, together.bad_rows) == (alone.rows, alone.bad_rows)
    assert bool(alone.damage) is (what != "none")


def counting(monkeypatch: pytest.MonkeyPatch, name: str) -> list[object]:
    """What one of the module's functions is given from now on."""
    calls: list[object] = []
    real: Callable[..., Any] = getattr(database, name)

    def count(*args: Any) -> Any:
        calls.append(args[1])
        return real(*args)

    monkeypatch.setattr(database, name, count)
    return calls


def test_a_large_database_is_read_by_other_processes(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_MANY_ROWS", 0)
    here = counting(monkeypatch, "_check")
    assert verify(archive, Scope(), NOW).rows > 100
    assert here == []


def test_a_small_database_is_not_worth_a_process(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = counting(monkeypatch, "_check")
    verify(archive, Scope(), NOW)
    assert here == list(database.CHECKS)


def test_what_other_processes_did_not_do_is_done_here(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_MANY_ROWS", 0)
    monkeypatch.setattr(database, "in_processes", lambda _, todo: [None for _ in todo])
    here = counting(monkeypatch, "_check")
    assert verify(archive, Scope(), NOW).rows > 100
    assert here == list(database.CHECKS)


def test_a_database_that_is_read_from_a_copy_is_not_copied_for_each_process(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_MANY_ROWS", 0)
    here = counting(monkeypatch, "_check")
    with sqlite3.connect(archive / DATABASE) as connection:
        database.check_database(
            connection, tmp_path / "elsewhere.db", lambda: connection, Verified()
        )
    connection.close()
    assert here == list(database.CHECKS)
