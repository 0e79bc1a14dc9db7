"""The step that rewords the comments of tables, and changes no row."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from archiver.archive.database import writer
from archiver.archive.schema import migrations
from support.old_archive import apply_steps_before, unpack

ROWS = {
    table: f"SELECT * FROM {table} ORDER BY id"
    for table in ("accounts", "relations", "account_names")
}
CHECKSUMS = "SELECT * FROM table_checksums ORDER BY name"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    directory = unpack(tmp_path / "archive")
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        migrations.apply(Database(connection), stop_before={"m005_words"})
        connection.commit()
    return directory


def content(connection: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    return [connection.execute(query).fetchall() for query in (*ROWS.values(), CHECKSUMS)]


def test_no_row_and_no_checksum_changes(old: Path) -> None:
    with closing(sqlite3.connect(old / "archive.db")) as connection:
        before = content(connection)
    assert before[0], "the old archive has accounts"
    with closing(sqlite3.connect(old / "archive.db")) as connection:
        apply_steps_before(connection, "m006_several_sources")
        assert content(connection) == before
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_its_indexes_are_there_again(old: Path) -> None:
    query = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'relations'"
    with writer(old) as connection:
        names = {name for (name,) in connection.execute(query)}
    assert {"relations_post", "relations_platform_id"} <= names
