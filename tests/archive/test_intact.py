"""Whether a row is as it was written."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from archiver.archive.intact import accept_invalid_text, hash_of, is_intact
from archiver.canonical import row_sha256

ROW: dict[str, Any] = {"id": 1, "what": "seen", "reason": None, "at": "2026-03-01"}


def written() -> dict[str, Any]:
    return ROW | {"row_sha256": row_sha256("events", ROW)}


def test_a_row_is_intact_as_long_as_no_column_changes() -> None:
    assert is_intact("events", written())


@pytest.mark.parametrize(
    "change",
    [
        {"what": "removed"}, {"id": 2}, {"reason": ""}, {"at": None}, {"row_sha256": "0" * 64},
        {"row_sha256": None}, {"another": 1},
    ],
)  # fmt: skip
def test_any_changed_column_is_damage(change: dict[str, Any]) -> None:
    assert not is_intact("events", written() | change)


def test_the_row_of_another_table_is_not_intact_here() -> None:
    assert not is_intact("metrics", written())


@pytest.mark.parametrize("value", ["\udcff", object()])
def test_what_cannot_be_hashed_is_damage_and_no_error(value: object) -> None:
    row = written() | {"reason": value}
    assert hash_of("events", row) is None
    assert not is_intact("events", row)


def test_text_that_is_not_utf_8_can_be_read_and_compared() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        accept_invalid_text(connection)
        (text,) = connection.execute("SELECT CAST(X'61FF62' AS TEXT)").fetchone()
        assert text == "a\udcffb"
        assert connection.execute("SELECT 'Grüße'").fetchone() == ("Grüße",)
