"""The archive in other hands: plain SQLite and Datasette."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, LOCK, reader, writer
from archiver.errors import ArchiveLocked, StorageError
from support.nights import nights


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with writer(tmp_path / "archive"):
        pass
    return tmp_path / "archive"


@pytest.fixture
def connection(directory: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(directory / DATABASE)) as found:
        yield found


def test_every_table_is_strict_and_every_foreign_key_holds(connection: sqlite3.Connection) -> None:
    tables = {
        name: bool(strict)
        for _, name, kind, _, _, strict in connection.execute("PRAGMA table_list")
        if kind == "table" and not name.startswith(("sqlite_", "_sqlite", "posts_fts"))
    }
    assert len(tables) >= 15
    assert all(tables.values())
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_four_views_answer(connection: sqlite3.Connection) -> None:
    for view in ("timeline", "missing_media", "latest_metrics", "gaps"):
        assert connection.execute(f"SELECT * FROM {view}").fetchall() == []


def test_every_column_is_explained_where_the_schema_is_kept(connection: sqlite3.Connection) -> None:
    for name, sql in connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%' "
        "AND name NOT LIKE '%sqlite%' AND name NOT LIKE 'posts_fts%'"
    ):
        assert "\n    -- " in sql, f"{name} says what it is"


_WRITES = """
import os, sys
from pathlib import Path
from archiver.archive.database import writer
os.umask(0)
with writer(Path(sys.argv[1])) as connection:
    connection.execute("CREATE TABLE t (x)")
    for path in Path(sys.argv[1]).iterdir():
        print(oct(path.stat().st_mode)[-3:])
"""


def test_files_and_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    done = subprocess.run(
        [sys.executable, "-c", _WRITES, folder], capture_output=True, text=True, check=True
    )
    modes = done.stdout.split()
    assert set(modes) == {"600"}
    assert len(modes) >= 3, "the database, its log and the lock"
    assert oct(folder.stat().st_mode)[-3:] == "700"


def test_files_that_others_could_read_are_made_private(directory: Path) -> None:
    for name in (DATABASE, LOCK):
        (directory / name).chmod(0o666)
    with writer(directory):
        modes = {oct(path.stat().st_mode)[-3:] for path in directory.iterdir()}
    assert modes == {"600"}


def test_one_writer_at_a_time_and_readers_at_any_time(directory: Path) -> None:
    with writer(directory), reader(directory) as connection:
        assert connection.execute("SELECT count(*) FROM posts").fetchone() == (0,)
        with pytest.raises(ArchiveLocked, match="in use"), writer(directory):
            pass


def test_a_reader_cannot_write(directory: Path) -> None:
    with reader(directory) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM posts")


def test_a_folder_without_an_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no archive"), reader(tmp_path):
        pass


@pytest.mark.anyio
async def test_datasette_opens_it_and_its_pages_make_sense(tmp_path: Path) -> None:
    import anyio
    from datasette.app import Datasette

    from archiver.browse.connections import closing_connections

    def back_up() -> Path:
        with nights(tmp_path, "threads") as world:
            world.account("threads").publish("A bowl of tea")
            world.backup()
            return world.directory / DATABASE

    path = await anyio.to_thread.run_sync(back_up)
    datasette = Datasette([str(path)])
    with closing_connections(datasette):
        for page, words in {
            "/archive": "timeline",
            "/archive/timeline": "A bowl of tea",
            "/archive/posts?_search=bowl+of": "A bowl of tea",
            "/archive/missing_media": "0 rows",
        }.items():
            response = await datasette.client.get(page)
            assert response.status_code == 200
            assert words in response.text


_USES_THE_MODEL = """
from archiver.archive.schema import model
model().execute("SELECT * FROM posts")
"""


def test_the_model_of_the_schema_is_closed_before_python_ends() -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", _USES_THE_MODEL]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
