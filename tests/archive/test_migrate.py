"""Which databases are brought up to date, and which are refused."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from archiver.archive.facts import APPLICATION_ID, GUARDED, KNOWN_STEPS
from archiver.archive.migrate import (
    applied_steps,
    check_version,
    migrate,
    refuse_foreign_triggers,
)
from archiver.archive.schema import migrations, model
from archiver.errors import SchemaTooNew, StorageError


@pytest.fixture
def empty() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def made(empty: sqlite3.Connection, tmp_path: Path) -> sqlite3.Connection:
    migrate(empty, tmp_path, pytest.fail, any_trigger=False)
    return empty


def test_a_new_database_gets_every_step_and_says_whose_it_is(made: sqlite3.Connection) -> None:
    assert applied_steps(made) == KNOWN_STEPS
    assert made.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    names = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%sqlite%' ORDER BY 1, 2"
    assert made.execute(names).fetchall() == model().execute(names).fetchall()


LIST = "SELECT name FROM sqlite_master WHERE tbl_name = '_sqlite_migrations'"


def test_one_that_was_killed_before_its_list_of_steps_was_whole_gets_the_rest(
    made: sqlite3.Connection, tmp_path: Path
) -> None:
    whole = made.execute(LIST).fetchall()
    assert len(whole) == 2
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as killed:
        killed.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        (text,) = made.execute(f"{LIST.replace('name', 'sql', 1)} AND type = 'table'").fetchone()
        killed.execute(text)
        migrate(killed, tmp_path, pytest.fail, any_trigger=False)
        assert killed.execute(LIST).fetchall() == whole


def test_one_that_was_stopped_while_it_was_made_is_finished_and_not_copied(
    empty: sqlite3.Connection, tmp_path: Path
) -> None:
    empty.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database = Database(empty)
    third = [each.name for each in migrations.pending(database)][2]
    migrations.apply(database, stop_before=third)
    assert 0 < len(applied_steps(empty)) < len(KNOWN_STEPS)
    migrate(empty, tmp_path, pytest.fail, any_trigger=False)
    assert applied_steps(empty) == KNOWN_STEPS
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_up_to_date_is_left_alone(made: sqlite3.Connection, tmp_path: Path) -> None:
    before = made.total_changes
    migrate(made, tmp_path, pytest.fail, any_trigger=False)
    assert made.total_changes == before
    assert list(tmp_path.iterdir()) == []


def test_after_a_migration_foreign_keys_are_checked_again(made: sqlite3.Connection) -> None:
    assert made.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_another_programs_database_is_refused(empty: sqlite3.Connection, tmp_path: Path) -> None:
    empty.execute("CREATE TABLE posts (id)")
    with pytest.raises(StorageError, match="not an archive") as caught:
        check_version(empty, tmp_path)
    assert caught.value.code == "not_an_archive"


def test_one_that_was_never_finished_is_no_archive(
    empty: sqlite3.Connection, tmp_path: Path
) -> None:
    empty.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    with pytest.raises(StorageError, match="never finished") as caught:
        check_version(empty, tmp_path)
    assert caught.value.code == "no_archive"


@pytest.mark.parametrize(
    "damage", ["DROP TABLE _sqlite_migrations", "DELETE FROM _sqlite_migrations"]
)
def test_tables_without_a_list_of_steps_are_damaged(
    made: sqlite3.Connection, tmp_path: Path, damage: str
) -> None:
    made.execute(damage)
    with pytest.raises(StorageError, match="applied schema steps") as caught:
        check_version(made, tmp_path)
    assert caught.value.code == "damaged"


def test_a_step_of_a_later_version_is_named(made: sqlite3.Connection, tmp_path: Path) -> None:
    made.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
        "VALUES ('archiver', 'm999_later', '2030-01-01')"
    )
    with pytest.raises(SchemaTooNew, match="m999_later"):
        check_version(made, tmp_path)


def test_a_set_of_steps_of_somebody_else_is_none_of_ours(made: sqlite3.Connection) -> None:
    made.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
        "VALUES ('plugin', 'm999_later', '2030-01-01')"
    )
    assert applied_steps(made) == KNOWN_STEPS


def test_foreign_triggers_on_our_tables_are_refused_and_others_allowed(
    made: sqlite3.Connection, tmp_path: Path
) -> None:
    made.execute("CREATE TABLE mine (x)")
    made.execute("CREATE TRIGGER theirs AFTER INSERT ON mine BEGIN SELECT 1; END")
    refuse_foreign_triggers(made, tmp_path)
    made.execute("CREATE TRIGGER spy AFTER INSERT ON Posts BEGIN DELETE FROM mine; END")
    with pytest.raises(StorageError, match=r"spy on [Pp]osts") as caught:
        refuse_foreign_triggers(made, tmp_path)
    assert caught.value.code == "foreign_trigger"


def test_a_foreign_trigger_never_sees_the_writes_of_a_step(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as connection:
        model(frozenset({"m001_archive"})).backup(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE seen (x)")
        connection.execute(
            "CREATE TRIGGER spy AFTER INSERT ON posts BEGIN INSERT INTO seen VALUES (1); END"
        )
        with pytest.raises(StorageError, match="unknown triggers"):
            migrate(connection, tmp_path, pytest.fail, any_trigger=False)
        assert applied_steps(connection) == {"m001_archive"}


def test_the_tables_that_are_guarded_are_there(made: sqlite3.Connection) -> None:
    former = {"account_names", "sightings", "holdings", "tallies"}
    tables = {name for (name,) in made.execute("SELECT name FROM sqlite_master")}
    assert tables >= GUARDED - former
