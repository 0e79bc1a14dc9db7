"""What an extract says of itself, and how commitments to other rows are hidden."""

import json
import sqlite3
import zlib

import pytest

from archiver.archive.extracts import ExtractNote, hide_rows, read_extract_note


def test_hidden_rows_keep_their_commitments_and_nothing_else() -> None:
    part = {
        "keys": zlib.compress(json.dumps([1, [2, "x"], 3]).encode()), "salts": b"abc" * 16,
        "commitments": b"c" * 96, "before": b"b" * 96,
    }  # fmt: skip
    found = hide_rows(part, {(2, "x")}.__contains__)
    assert json.loads(zlib.decompress(found["keys"])) == [None, [2, "x"], None]
    assert found["salts"] == bytes(16) + part["salts"][16:32] + bytes(16)
    assert found["before"] == bytes(32) + b"b" * 32 + bytes(32)
    assert found["commitments"] == part["commitments"]


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"made_at": 1}'])
def test_an_extract_whose_note_is_damaged_is_an_extract_all_the_same(text: str) -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE about (name TEXT, value TEXT)")
        assert read_extract_note(connection) is None
        connection.execute("INSERT INTO about VALUES ('extract', ?)", (text,))
        assert read_extract_note(connection) == ExtractNote("an unknown time", "unknown posts")
    connection.close()
