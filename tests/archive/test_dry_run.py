"""A dry run does the work of the real one, and nothing of it stays."""

import sqlite3
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, reader, transaction, writer
from archiver.archive.dry_run import writer_or_dry_run
from archiver.archive.rows import insert
from archiver.errors import StorageError


def add(directory: Path, name: str, *, dry_run: bool) -> Path:
    """Write a row; returns the folder that it was written to."""
    with writer_or_dry_run(directory, dry_run=dry_run, notify=print) as (connection, folder):
        with transaction(connection):
            insert(connection, "about", name=name, value="")
        assert names_of(connection, name) == [name]
    return folder


def names_of(connection: sqlite3.Connection, name: str) -> list[str]:
    query = "SELECT name FROM about WHERE name = ?"
    return [found for (found,) in connection.execute(query, (name,))]


def test_only_what_is_no_dry_run_stays(tmp_path: Path) -> None:
    assert add(tmp_path, "real", dry_run=False) == tmp_path
    assert add(tmp_path, "dry", dry_run=True) == tmp_path
    with reader(tmp_path) as connection:
        assert names_of(connection, "real") == ["real"]
        assert names_of(connection, "dry") == []


def test_without_an_archive_a_dry_run_makes_none(tmp_path: Path) -> None:
    folder = add(tmp_path / "archive", "dry", dry_run=True)
    assert not folder.exists()
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize("dry_run", [False, True])
def test_files_without_their_database_are_refused(tmp_path: Path, *, dry_run: bool) -> None:
    with writer(tmp_path):
        pass
    (tmp_path / DATABASE).unlink()
    (tmp_path / "media" / "ab").mkdir(parents=True)
    (tmp_path / "media" / "ab" / "file.jpg").touch()
    with pytest.raises(StorageError, match="is missing"):
        add(tmp_path, "any", dry_run=dry_run)
