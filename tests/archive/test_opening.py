"""Connections to the database, and which write-ahead logs belong to it."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from archiver.archive import opening
from archiver.archive.database import DATABASE, writer
from archiver.errors import StorageError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with writer(tmp_path / "archive"):
        pass
    return tmp_path / "archive" / DATABASE


@contextmanager
def in_use(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that has written to the log, and holds it."""
    with closing(opening.connect(path)) as connection:
        connection.execute("CREATE TABLE in_the_log (x)")
        yield connection


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def test_every_connection_checks_foreign_keys_and_any_thread_may_use_it(path: Path) -> None:
    with closing(opening.connect(path, busy_ms=1_234)) as connection:
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
        assert connection.execute("PRAGMA cell_size_check").fetchone() == (1,)
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (1_234,)
        assert connection.isolation_level is None


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with (
        pytest.raises(sqlite3.OperationalError),
        closing(opening.connect(tmp_path / DATABASE)) as connection,
    ):
        connection.execute("SELECT 1 FROM sqlite_master")
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_is_empty_or_missing_is_none(path: Path) -> None:
    assert not opening.has_log(path)
    log = path.with_name(path.name + opening.WAL_SUFFIX)
    log.touch()
    assert not opening.has_log(path)
    log.write_bytes(b"x")
    assert opening.has_log(path)


def test_a_copy_has_what_is_in_the_log_and_leaves_the_original_alone(path: Path) -> None:
    with in_use(path), opening.temporary_copy(path) as copy:
        with closing(opening.connect(copy, "mode=ro")) as connection:
            assert "in_the_log" in tables(connection)
        folder = copy.parent
        assert folder.stat().st_mode & 0o077 == 0, "only we can read it"
        with closing(opening.connect(path, opening.IMMUTABLE)) as connection:
            assert "in_the_log" not in tables(connection)
    assert not folder.exists()


def test_without_room_for_a_copy_the_message_names_tmpdir(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(StorageError, match="No space left") as caught, opening.temporary_copy(path):
        pass
    assert "TMPDIR" in (caught.value.hint or "")


def test_the_log_of_another_database_is_refused(path: Path, tmp_path: Path) -> None:
    with writer(tmp_path / "other"):
        pass
    other = tmp_path / "other" / DATABASE
    with closing(opening.connect(other)) as connection:
        connection.execute("UPDATE about SET value = 'of another archive'")
        shutil.copy(other.with_name(other.name + opening.WAL_SUFFIX), path.parent)
    before = path.read_bytes()
    with pytest.raises(StorageError, match="belongs to another database") as caught:
        opening.refuse_foreign_log(path)
    assert caught.value.code == "foreign_log"
    assert path.read_bytes() == before


def test_its_own_log_is_no_foreign_one(path: Path) -> None:
    with in_use(path):
        opening.refuse_foreign_log(path)
    opening.refuse_foreign_log(path)


def test_a_reader_sees_the_log_while_somebody_writes(path: Path) -> None:
    with in_use(path), opening.open_to_read(path) as connection:
        assert "in_the_log" in tables(connection)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM about")


@pytest.mark.parametrize("has_log", [True, False])
def test_where_sqlite_cannot_make_its_files_a_reader_reads_all_the_same(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_log: bool
) -> None:
    class NoSharedMemory:
        """As on a full disk: SQLite cannot make the -shm file."""

        def execute(self, _: str) -> None:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorname = "SQLITE_IOERR_SHMOPEN"
            raise error

        def close(self) -> None:
            """Nothing."""

    with ExitStack() as stack:
        left = path
        if has_log:  # as a killed run leaves it: nobody holds the lock
            stack.enter_context(in_use(path))
            left = tmp_path / "killed" / DATABASE
            shutil.copytree(path.parent, left.parent)
        monkeypatch.setattr(opening, "_connect_to_read", lambda _: NoSharedMemory())
        with opening.open_to_read(left) as connection:
            assert ("in_the_log" in tables(connection)) is has_log
            assert "posts" in tables(connection)


def test_an_error_of_sqlite_is_one_of_the_disk_or_of_the_content() -> None:
    busy, corrupt = sqlite3.DatabaseError(), sqlite3.DatabaseError()
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
    corrupt.sqlite_errorcode = sqlite3.SQLITE_CORRUPT_INDEX
    assert opening.is_disk_error(busy)
    assert not opening.is_disk_error(corrupt)
    assert not opening.is_disk_error(sqlite3.DatabaseError("without a code")), "so it is damage"
