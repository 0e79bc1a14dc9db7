"""A later version changes the tables of an archive: a copy is made first, and nothing is lost."""

import itertools
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from archiver.archive import database, facts, migrate, schema, upgrade
from archiver.archive.database import DATABASE, applied_steps, reader, writer
from archiver.archive.runs import begin_run
from archiver.errors import StorageError
from archiver.report import NoProgress
from support.nights import nights

STEP = "m999_later"
COPY = f"{DATABASE}.before-{STEP}"

KILLED = """
import os, sys
from pathlib import Path
from sqlite_utils import Database
from archiver.archive import database, migrate, schema
migrate.KNOWN_STEPS |= {"m999_later"}

@schema.migrations()
def m999_later(db: Database) -> None:
    db.execute("ALTER TABLE posts ADD COLUMN later TEXT")
    db.execute("CREATE TABLE later (a TEXT) STRICT")
    os._exit(9)

with database.writer(Path(sys.argv[1])):
    pass
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of today, in use."""
    with writer(tmp_path) as connection:
        begin_run(connection, "2026-11-01T00:00:00.000Z", "1", {}, None)
        connection.execute("INSERT INTO posts_fts(rowid, text) VALUES (1, 'kept')")
    return tmp_path


@pytest.fixture
def later_version(archive: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A version of the program with one more step than the one that made the archive."""
    for module in (database, migrate):
        monkeypatch.setattr(module, "KNOWN_STEPS", database.KNOWN_STEPS | {STEP})
    steps = schema.migrations._migrations
    before = list(steps)

    @schema.migrations()
    def m999_later(db: Database) -> None:
        db.execute("ALTER TABLE posts ADD COLUMN later TEXT")

    yield
    steps[:] = before


def columns(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {name for _, name, *_ in connection.execute("PRAGMA table_info(posts)")}


@pytest.mark.usefixtures("later_version")
def test_the_database_is_copied_before_its_tables_change(archive: Path) -> None:
    with writer(archive):
        pass
    assert "later" in columns(archive / DATABASE)
    assert "later" not in columns(archive / COPY)
    assert (archive / COPY).stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("later_version")
def test_a_long_step_says_every_half_minute_how_far_the_upgrade_is(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(db: Database) -> None:
        db.execute(
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) "
            "SELECT n FROM numbers LIMIT 1 OFFSET 50000"
        ).fetchall()

    said: list[str] = []
    half_minutes = itertools.count(0, 30)
    with closing(sqlite3.connect(archive / DATABASE, isolation_level=None)) as connection:
        monkeypatch.setattr(schema.migrations._migrations[-1], "fn", count)
        migrate.migrate(
            connection, archive, said.append, any_trigger=False,
            monotonic=lambda: next(half_minutes),
        )  # fmt: skip
        told = len(said)
        count(Database(connection))
    assert said[-1].startswith("Upgrading the database, step 1 of 1: ")
    assert said[-1].endswith(" s so far")
    assert len(said) == told, "what comes after the upgrade is no part of it"


def test_a_backup_says_once_and_unasked_where_the_copy_is(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    with nights(tmp_path, "threads") as world:
        world.backup()
        request.getfixturevalue("later_version")
        monkeypatch.setattr(NoProgress, "note", lambda _, text: said.append(text))
        world.backup()
        world.backup()
    assert said == [f"The database as it was before this version is in {world.directory / COPY}"]


@pytest.mark.usefixtures("later_version")
def test_the_copy_in_the_place_of_the_database_is_an_intact_archive(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writer(archive):
        pass
    (archive / COPY).replace(archive / DATABASE)
    monkeypatch.undo()
    with reader(archive) as connection:
        kept = "SELECT rowid FROM posts_fts WHERE posts_fts MATCH 'kept'"
        assert connection.execute(kept).fetchall() == [(1,)]
        assert applied_steps(connection) == database.KNOWN_STEPS


@pytest.mark.usefixtures("later_version")
def test_a_new_archive_and_one_that_is_up_to_date_need_no_copy(tmp_path: Path) -> None:
    for _ in range(2):
        with writer(tmp_path / "new"):
            pass
    assert list((tmp_path / "new").glob(f"{DATABASE}.*")) == []


@pytest.mark.parametrize("number", [0, -1])
def test_a_new_archive_that_was_cut_off_at_any_step_has_nothing_and_needs_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def cut_off(_: Database) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(schema.migrations._migrations[number], "fn", cut_off)
        with pytest.raises(StorageError, match="full"), writer(tmp_path):
            pass
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    with writer(tmp_path):
        pass
    assert list(tmp_path.glob(f"{DATABASE}.*")) == []


@pytest.mark.parametrize("number", [0, 3])
def test_one_that_an_earlier_version_left_after_some_steps_is_finished_without_a_copy(
    tmp_path: Path, number: int
) -> None:
    """Earlier versions made a new archive step by step, each in a transaction of its own."""
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {facts.APPLICATION_ID}")
        following = schema.migrations._migrations[number].name
        schema.migrations.apply(Database(connection), stop_before=following)
        counted = connection.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()
        assert counted == (number,)
    with writer(tmp_path) as connection:
        assert applied_steps(connection) == database.KNOWN_STEPS
    assert list(tmp_path.glob(f"{DATABASE}.*")) == []


def test_a_step_that_is_killed_leaves_the_old_tables_and_the_next_run_goes_on(
    archive: Path, request: pytest.FixtureRequest
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, archive], check=False)
    assert killed.returncode == 9
    assert "later" not in columns(archive / DATABASE)
    copied = (archive / COPY).read_bytes()

    request.getfixturevalue("later_version")
    with writer(archive):
        pass
    assert "later" in columns(archive / DATABASE)
    assert (archive / COPY).read_bytes() == copied


@pytest.mark.usefixtures("later_version")
def test_a_copy_that_was_killed_halfway_is_made_again(archive: Path) -> None:
    (archive / f"{COPY}.part").write_bytes(b"half of it")
    with writer(archive):
        pass
    assert "later" not in columns(archive / COPY)
    assert not (archive / f"{COPY}.part").exists()


@pytest.mark.usefixtures("later_version")
def test_without_room_for_the_copy_nothing_is_changed(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(upgrade, "sync", full)
    with pytest.raises(StorageError, match="full"), writer(archive):
        pass
    assert "later" not in columns(archive / DATABASE)
    assert list(archive.glob(f"{DATABASE}.*")) == []
