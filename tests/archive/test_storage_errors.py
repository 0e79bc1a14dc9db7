"""What SQLite raises is told by its code, never by the words of a message."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.storage_errors import storage_errors
from archiver.errors import ArchiveLocked, StorageError


def raised(code: int, text: str = "some words") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_SOMETHING"
    return error


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, "full"),
        (sqlite3.SQLITE_READONLY, "read_only"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "read_only"),
        (sqlite3.SQLITE_BUSY, "locked"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "locked"),
        (sqlite3.SQLITE_LOCKED, "locked"),
        (sqlite3.SQLITE_CORRUPT, "damaged"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "damaged"),
        (sqlite3.SQLITE_NOTADB, "damaged"),
        (sqlite3.SQLITE_IOERR_READ, "storage"),
        (sqlite3.SQLITE_CANTOPEN, "storage"),
    ],
)
def test_every_code_has_its_error(tmp_path: Path, code: int, expected: str) -> None:
    with pytest.raises(StorageError) as caught, storage_errors(tmp_path):
        raise raised(code)
    assert caught.value.code == expected
    assert isinstance(caught.value, ArchiveLocked) == (expected == "locked")


@pytest.mark.parametrize(
    "text", ["no such column: full", "readonly", "table locked is missing", "malformed JSON"]
)
def test_words_in_a_message_decide_nothing(tmp_path: Path, text: str) -> None:
    with pytest.raises(sqlite3.OperationalError), storage_errors(tmp_path):
        raise raised(sqlite3.SQLITE_ERROR, text)


def test_what_python_itself_raises_stays_what_it_is(tmp_path: Path) -> None:
    connection = sqlite3.connect(":memory:")
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError), storage_errors(tmp_path):
        connection.execute("SELECT 1")


def test_a_wrong_statement_is_a_bug(tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.OperationalError, match="syntax"),
        storage_errors(tmp_path),
    ):
        connection.execute("SELEKT")
