"""A bug does not have a large database read before it is told; damage is still found."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive import damage
from archiver.archive.damage import find_corruption, may_be_damage
from archiver.archive.database import DATABASE, reader, writer
from archiver.errors import StorageError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    with writer(tmp_path):
        pass
    return tmp_path


def alter_a_row(archive: Path) -> None:
    with closing(sqlite3.connect(archive / DATABASE)) as connection:
        connection.execute("UPDATE about SET value = 'other'")
        connection.commit()


@pytest.mark.parametrize("bug", [KeyError("x"), AttributeError("x"), AssertionError("x")])
def test_a_bug_is_reported_without_reading_the_database(
    archive: Path, bug: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(damage, "find_corruption", asked.append)
    with pytest.raises(type(bug)) as caught, reader(archive):
        raise bug
    assert asked == []
    assert "archiver verify" in caught.value.__notes__[0]


@pytest.mark.parametrize("error", [ValueError("x"), TypeError("x"), sqlite3.DataError("x")])
def test_an_error_that_damage_can_cause_is_damage_where_there_is_some(
    archive: Path, error: Exception
) -> None:
    with pytest.raises(type(error)), reader(archive):
        raise error
    alter_a_row(archive)
    with pytest.raises(StorageError, match="damaged"), reader(archive):
        raise error


def test_errors_of_several_tasks_count_each() -> None:
    assert may_be_damage(ExceptionGroup("tasks", [KeyError(), ValueError()]))
    assert not may_be_damage(ExceptionGroup("tasks", [KeyError()]))


def test_what_takes_too_long_is_broken_off_and_nothing_is_said(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter_a_row(archive)
    monkeypatch.setattr(damage, "_OPCODES", 1)
    time = iter(range(0, 10**9, 60))  # a minute passes whenever it is asked
    assert find_corruption(archive / DATABASE, lambda: float(next(time))) is None
    assert find_corruption(archive / DATABASE, lambda: 0.0) is not None
