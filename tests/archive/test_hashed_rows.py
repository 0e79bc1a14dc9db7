"""What every writing of a row needs: its hash, clean text, and the keys of tables."""

import pytest

from archiver.archive.facts import ROW_HASHED
from archiver.archive.hashed_rows import declared_key, hash_rows, key_of, with_hash
from archiver.archive.schema import model
from archiver.canonical import row_digest, row_sha256


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


CLEAN = {"text": "Bowls, bøwls, 🥣", "count": 0, "empty": "", "missing": None, "bytes": b"\x00\xff"}


@pytest.mark.parametrize(
    "other",
    [
        CLEAN,
        {**CLEAN, "text": "a\x00b"},
        {**CLEAN, "text": "written as \\u0000 in full"},
        {**CLEAN, "text": "\ud800"},
        {**CLEAN, "count": True},
        {**CLEAN, "count": 0.1},
        {**CLEAN, "count": -(2**63)},
        {name: CLEAN[name] for name in reversed(CLEAN)},
        {**CLEAN, "more": "columns"},
    ],
)
@pytest.mark.parametrize("table", ["posts", "metrics"])
def test_many_rows_are_hashed_as_each_of_them_is(table: str, other: dict[str, object]) -> None:
    rows = [dict(CLEAN), dict(other)]
    digests = hash_rows(table, rows)
    assert rows == [with_hash(table, CLEAN), with_hash(table, other)]
    assert digests == [row_digest(table, row) for row in rows]


def test_a_fractional_metric_is_hashed_among_others_as_alone() -> None:
    metrics = [{"name": "likes", "value": value} for value in (3, 0.1, 1e16)]
    rows = list(map(dict, metrics))
    hash_rows("metrics", rows)
    assert rows == [with_hash("metrics", row) for row in metrics]


def test_rows_of_one_column_are_hashed_too() -> None:
    rows: list[dict[str, object]] = [{"id": 1}, {"id": 2}]
    hash_rows("runs", rows)
    assert rows == [with_hash("runs", {"id": 1}), with_hash("runs", {"id": 2})]
