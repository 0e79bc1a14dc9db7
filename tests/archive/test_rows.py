"""Row hashes: what they are over, that everything written has one, and that one place writes."""

import ast
import re
import sqlite3
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.archive.database import writer
from archiver.archive.facts import ROW_HASHED
from archiver.archive.hashed_rows import checksum_of
from archiver.archive.rows import Rows, delete, insert, insert_all, insert_new, update, update_row
from archiver.archive.schema import model
from archiver.canonical import row_sha256

ARCHIVER = Path(__file__).parent.parent.parent / "archiver"
_WRITES = re.compile(
    r"\b(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE|DELETE\s+FROM)\s+(\w+|\{\w+\})",
    re.IGNORECASE,
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with writer(tmp_path / "archive") as connection:
        insert(connection, "runs", **RUN)
        yield connection


RUN = {
    "started_at": "2026-01-01T00:00:00.000Z", "outcome": "running", "version": "1", "asked": "{}",
    "got": 0, "new": 0, "edited": 0, "removed": 0, "stored": 0, "bytes": 0, "omitted": 0,
    "failed": 0,
}  # fmt: skip


ACCOUNT = {"id": 1, "platform": "example", "name": "one", "first_seen_at": RUN["started_at"]}
POST = {
    "account_id": 1, "platform": "example", "kind": "post", "raw": "{}",
    "first_seen_at": RUN["started_at"], "last_seen_at": RUN["started_at"],
}  # fmt: skip


def unsound(connection: sqlite3.Connection) -> list[str]:
    """The tables with a row that is not as its hash says, or that do not add up."""
    found = []
    for table in ROW_HASHED:
        cursor = connection.execute(f"SELECT * FROM {table}")
        columns = [description[0] for description in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor]
        hashes = [row["row_sha256"] for row in rows]
        tally = connection.execute("SELECT rows, sum FROM table_checksums WHERE name = ?", (table,))
        if tally.fetchone() != (len(rows), checksum_of(hashes)):
            found.append(f"{table}: tally")
        if any(row_sha256(table, row) != row["row_sha256"] for row in rows):
            found.append(f"{table}: hash")
    return found


def strings(path: Path) -> Iterator[str]:
    """The texts in a module, but for its prose."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{it}"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


OTHERS = {"archive/rows.py", "archive/hashed_rows.py", "export/extract.py", "site/plan.py"}
"""The modules that write such rows; the last two write those of a database of their own."""

MODULES = [
    path
    for path in sorted(ARCHIVER.rglob("*.py"))
    if path.relative_to(ARCHIVER).as_posix() not in OTHERS and path.parent.name != "steps"
]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ARCHIVER)))
def test_only_one_module_writes_rows_with_a_hash(path: Path) -> None:
    for text in strings(path):
        for table in _WRITES.findall(text):
            assert table.lower() not in {*ROW_HASHED, "table_checksums", "{it}"}, text


def test_every_table_but_the_checksums_has_a_row_hash() -> None:
    query = """
        SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict
    """
    tables = [name for (name,) in model().execute(query)]
    assert sorted(tables) == sorted([*ROW_HASHED, "table_checksums"])


VECTORS: list[tuple[str, dict[str, Any], str]] = [
    (
        "relations", {"id": 1, "post_id": 2, "kind": "quotes", "platform_id": None, "url": '"\\\n'},
        '{"":"relations","id":1,"kind":"quotes","post_id":2,"url":"\\"\\\\\\n"}',
    ),
    (
        "posts", {"id": 7, "text": "Grüße 日本 \U0001f600 \x01\x7f/", "row_sha256": "not in it"},
        '{"":"posts","id":7,"text":"Grüße 日本 \U0001f600 \\u0001\x7f/"}',
    ),
    (
        "post_sources",
        {"post_id": 9_007_199_254_740_993, "source": "example", "fingerprint": b"\x00\xff\x10"},
        '{"":"post_sources","fingerprint":"AP8Q","post_id":9007199254740993,"source":"example"}',
    ),
    (
        "metrics", {"post_id": 1, "attachment_id": 0, "name": "rate", "value": 0.1},
        '{"":"metrics","attachment_id":0,"name":"rate","post_id":1,"value":"0.1"}',
    ),
]  # fmt: skip
"""A table, a row of it, and the bytes that are hashed. They are printed in docs/schema.md."""


@pytest.mark.parametrize(("table", "row", "text"), VECTORS)
def test_the_bytes_under_the_hash(table: str, row: dict[str, Any], text: str) -> None:
    digest = sha256(text.encode()).hexdigest()
    assert row_sha256(table, row) == (digest[:12] if table == "metrics" else digest)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(codec=None, categories=None), max_size=40),
    st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
    ),
)
def test_whatever_is_written_reads_back_with_its_hash(
    connection: sqlite3.Connection, text: str, number: Any
) -> None:
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("BEGIN")
    insert(connection, "runs", **RUN | {"asked": text})
    rows = Rows(connection)
    rows.add("metrics", post_id=1, attachment_id=0, name=text, seen_at=text, value=number)
    rows.write()
    assert unsound(connection) == []
    connection.rollback()


@pytest.mark.parametrize("count", [1, 31, 32, 33, 64, 65])
def test_as_many_rows_are_written_as_were_added_each_with_its_values(
    connection: sqlite3.Connection, count: int
) -> None:
    names = [f"name {number}" for number in range(count)]
    before = set(connection.execute("SELECT name, value FROM about"))
    insert_all(connection, "about", [{"name": name, "value": name.upper()} for name in names])
    added = set(connection.execute("SELECT name, value FROM about")) - before
    assert added == {(name, name.upper()) for name in names}
    assert unsound(connection) == []


def test_a_row_and_its_sums_are_one_transaction_for_any_caller(
    connection: sqlite3.Connection,
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: insert(connection, "about", name="colour", value="red"),
        lambda: insert_all(connection, "about", [{"name": "size", "value": "1"}]),
        lambda: update(connection, "about", "name = 'colour'", (), value="blue"),
        lambda: delete(connection, "about", "name = 'colour'", ()),
    ]
    for call in calls:
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        call()
        connection.set_trace_callback(None)
        writing = [text for text in statements if _WRITES.match(text)]
        inside = statements[statements.index("BEGIN IMMEDIATE") : statements.index("COMMIT")]
        assert len(writing) == 6, "the row, its entry in the ledger, and what they add up to"
        assert set(writing) <= set(inside)


def test_new_posts_are_added_to_the_search_index_by_one_statement(
    connection: sqlite3.Connection,
) -> None:
    insert(connection, "accounts", **ACCOUNT)
    rows = Rows(connection)
    for number in range(20):
        rows.add("posts", **POST | {"platform_id": str(number), "text": f"the harbour, {number}"})
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    rows.write()
    connection.set_trace_callback(None)
    insert(connection, "posts", **POST | {"platform_id": "20", "text": "the harbour at night"})
    insert_all(connection, "posts", [POST | {"id": 30, "platform_id": "30", "text": "a harbour"}])
    assert sum(text.startswith("INSERT INTO posts_fts ") for text in statements) == 1
    query = "SELECT count(*) FROM posts_fts WHERE posts_fts MATCH 'harbour'"
    assert connection.execute(query).fetchone() == (22,)
    connection.execute("INSERT INTO posts_fts (posts_fts, rank) VALUES ('integrity-check', 1)")


def test_updates_and_deletions_keep_hashes_and_checksums(connection: sqlite3.Connection) -> None:
    for number in range(5):
        insert(connection, "runs", **RUN | {"version": str(number)})
    assert update(connection, "runs", "version > ?", ("2",), outcome="done", bytes=True) == 2
    update_row(connection, "runs", 2, finished_at="2026-01-02T00:00:00.000Z")
    assert delete(connection, "runs", "version = ?", ("0",)) == 1
    assert unsound(connection) == []
    assert connection.execute("SELECT count(*) FROM runs").fetchone() == (5,)


def test_a_row_that_is_there_already_is_not_counted_twice(connection: sqlite3.Connection) -> None:
    row = {
        "sha256": "ab" * 32, "path": "media/ab/x.jpg", "size": 1, "content_type": "image/jpeg",
        "stored_at": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    assert insert_new(connection, "media", **row)
    assert not insert_new(connection, "media", **row)
    assert unsound(connection) == []


def test_writing_to_a_damaged_row_does_not_make_it_look_intact(
    connection: sqlite3.Connection,
) -> None:
    connection.execute("UPDATE runs SET version = 'other' WHERE id = 1")
    update_row(connection, "runs", 1, outcome="done")
    assert unsound(connection) == ["runs: hash"]
