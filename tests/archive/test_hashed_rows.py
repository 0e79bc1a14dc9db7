"""What every writing of a row needs: its hash, clean text, and the keys of tables."""

import pytest

from archiver.archive.hashed_rows import declared_key, key_of, with_hash
from archiver.archive.schema import ROW_HASHED, model
from archiver.canonical import row_sha256


@pytest.mark.parametrize("table", ROW_HASHED)
def test_the_declared_key_is_the_primary_key_of_the_schema(table: str) -> None:
    info = model().execute(f"PRAGMA table_info({table})").fetchall()
    key = sorted((place, name) for _, name, _, _, _, place in info if place)
    assert declared_key(table) == tuple(name for _, name in key)


def test_rows_without_a_key_of_their_own_are_found_by_their_rowid() -> None:
    assert key_of("run_accounts") == ("rowid",)
    assert key_of("media") == ("sha256",)


def test_the_hash_of_a_row_is_of_its_text_as_it_is_stored() -> None:
    row = with_hash("about", {"name": "a\x00b", "value": "\ud800"})
    assert row["name"] == "a\u2400b"
    assert row["row_sha256"] == row_sha256("about", {"name": "a\u2400b", "value": "?"})
