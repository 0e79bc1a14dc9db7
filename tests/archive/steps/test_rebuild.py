"""A table is made anew with its rows, its checksum, and the indexes of users."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from archiver.archive.steps.rebuild import CHECKSUM_MASK, Rebuild, hash_number, rebuild
from archiver.canonical import row_sha256

TABLE = "CREATE TABLE {name} (id INTEGER PRIMARY KEY, words TEXT, row_sha256 TEXT NOT NULL);\n"
NEW = TABLE.format(name="texts") + "CREATE INDEX texts_words ON texts(words);"


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE table_checksums (name TEXT, rows INTEGER, sum INTEGER)")
        connection.execute(TABLE.format(name="notes"))
        connection.execute("CREATE INDEX notes_words ON notes(words)")
        connection.execute("CREATE INDEX of_a_user ON notes(words, id)")
        rows = [{"id": number, "words": f"Word {number}"} for number in range(1, 1501)]
        hashes = [row_sha256("notes", row) for row in rows]
        values = [(*row.values(), digest) for row, digest in zip(rows, hashes, strict=True)]
        connection.executemany("INSERT INTO notes VALUES (?, ?, ?)", values)
        total = sum(map(hash_number, hashes)) & CHECKSUM_MASK
        connection.execute("INSERT INTO table_checksums VALUES ('notes', 1500, ?)", (total,))
        yield connection


CHANGED = Rebuild("texts", NEW, {"words": "lower(old.words)"}, former="notes")


def test_rows_get_their_new_values_and_hashes_and_the_table_its_checksum(
    connection: sqlite3.Connection,
) -> None:
    rebuild(connection, CHANGED, {"notes_words"})
    found = connection.execute("SELECT id, words, row_sha256 FROM texts ORDER BY id").fetchall()
    assert [words for _, words, _ in found] == [f"word {number}" for number in range(1, 1501)]
    hashes = [row_sha256("texts", {"id": row_id, "words": words}) for row_id, words, _ in found]
    assert [digest for *_, digest in found] == hashes
    total = sum(map(hash_number, hashes)) & CHECKSUM_MASK
    assert connection.execute("SELECT * FROM table_checksums").fetchall() == [
        ("texts", 1500, total)
    ]


def test_a_damaged_row_keeps_its_hash_and_so_stays_damaged(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE notes SET words = 'altered' WHERE id = 7")
    (before,) = connection.execute("SELECT row_sha256 FROM notes WHERE id = 7").fetchone()
    rebuild(connection, CHANGED, {"notes_words"})
    assert connection.execute("SELECT words, row_sha256 FROM texts WHERE id = 7").fetchone() == (
        "altered", before
    )  # fmt: skip


def test_an_empty_table_is_rebuilt_without_copying(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM notes")
    connection.execute("UPDATE table_checksums SET rows = 0, sum = 0")
    rebuild(connection, CHANGED, {"notes_words"})
    assert connection.execute("SELECT * FROM table_checksums").fetchall() == [("texts", 0, 0)]


def test_an_index_of_a_user_is_made_again_where_it_still_fits(
    connection: sqlite3.Connection,
) -> None:
    rebuild(connection, Rebuild("notes", TABLE.format(name="notes")), {"notes_words"})
    query = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    assert connection.execute(query).fetchall() == [("of_a_user",)]
