"""The ledger: every transaction has an entry, which commits to every row that it wrote."""

import json
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.archive import ledger as module
from archiver.archive import runs
from archiver.archive.database import transaction, writer
from archiver.archive.facts import ROW_HASHED
from archiver.archive.ledger import LEDGER_TABLES, TableWrites
from archiver.archive.merkle import leaf_hash
from archiver.archive.rows import Rows, delete, insert, update
from archiver.canonical import row_digest

ARCHIVER = Path(__file__).parent.parent.parent / "archiver"
NOW = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with writer(tmp_path / "archive") as connection:
        yield connection


def entries(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    query = "SELECT entry FROM ledger ORDER BY id"
    return [json.loads(text) for (text,) in connection.execute(query)]


def written(connection: sqlite3.Connection, entry_id: int) -> dict[tuple[str, str], list[Any]]:
    """The keys of the rows that an entry commits to, by table and change."""
    query = "SELECT table_name, change, keys FROM ledger_rows WHERE entry_id = ?"
    return {
        (table, change): json.loads(zlib.decompress(keys))
        for table, change, keys in connection.execute(query, (entry_id,))
    }


def newest(connection: sqlite3.Connection) -> int:
    entry_id: int = connection.execute("SELECT max(id) FROM ledger").fetchone()[0]
    return entry_id


def test_a_new_archive_begins_with_entries_for_the_rows_that_it_begins_with(
    connection: sqlite3.Connection,
) -> None:
    assert [entry["happened"] for entry in entries(connection)] == [{"ledger_begun": 1}] * 2
    assert [entry["rows"][0][0] for entry in entries(connection)] == ["about", "storage_totals"]


def test_every_entry_names_the_one_before_by_its_hash(connection: sqlite3.Connection) -> None:
    for number in range(3):
        insert(connection, "about", name=str(number), value="")
    texts = [text for (text,) in connection.execute("SELECT entry FROM ledger ORDER BY id")]
    named = [entry["previous"] for entry in entries(connection)]
    assert named == [None, *(leaf_hash(text.encode()).hex() for text in texts[:-1])]


def test_a_commitment_is_the_hash_of_a_salt_and_the_hash_of_the_row(
    connection: sqlite3.Connection,
) -> None:
    insert(connection, "about", name="colour", value="red")
    query = "SELECT salts, commitments FROM ledger_rows ORDER BY id DESC LIMIT 1"
    salt, commitment = connection.execute(query).fetchone()
    digest = row_digest("about", {"name": "colour", "value": "red"})
    assert len(salt) == 16
    assert commitment == sha256(salt + bytes.fromhex(digest)).digest()
    assert entries(connection)[-1]["rows"] == [
        ["about", "added", 1, sha256(commitment).hexdigest()]
    ]


def test_it_commits_to_the_whole_hash_of_a_metric_of_which_the_row_has_the_beginning(
    connection: sqlite3.Connection,
) -> None:
    connection.execute("PRAGMA foreign_keys = OFF")
    row = {"post_id": 1, "attachment_id": 0, "name": "likes", "seen_at": NOW, "value": 3}
    insert(connection, "metrics", **row)
    query = "SELECT salts, commitments FROM ledger_rows ORDER BY id DESC LIMIT 1"
    salt, commitment = connection.execute(query).fetchone()
    assert commitment == sha256(salt + bytes.fromhex(row_digest("metrics", row))).digest()


def test_one_transaction_has_one_entry_with_all_that_it_wrote(
    connection: sqlite3.Connection,
) -> None:
    connection.execute("PRAGMA foreign_keys = OFF")
    insert(connection, "about", name="old", value="")
    before = newest(connection)
    with transaction(connection):
        insert(connection, "about", name="new", value="")
        delete(connection, "about", "name = 'old'", ())
        update(connection, "about", "name = 'archive_id'", (), value="another")
        rows = Rows(connection)
        for name in ("likes", "views"):
            rows.add(
                "metrics", post_id=7, attachment_id=0, name=name, seen_at=NOW, value=1
            )  # fmt: skip
        rows.write()
    assert newest(connection) == before + 1
    assert written(connection, before + 1) == {
        ("about", "added"): ["new"],
        ("about", "changed"): ["archive_id"],
        ("about", "removed"): ["old"],
        ("metrics", "added"): [[7, 0, "likes", NOW], [7, 0, "views", NOW]],
    }


def test_what_is_rolled_back_has_no_entry(connection: sqlite3.Connection) -> None:
    before = newest(connection)
    with suppress(RuntimeError), transaction(connection):
        insert(connection, "about", name="new", value="")
        raise RuntimeError
    with transaction(connection):
        pass
    assert newest(connection) == before


def test_an_entry_says_what_happened_and_in_which_run(connection: sqlite3.Connection) -> None:
    run_id = runs.begin_run(connection, NOW, "test", {})
    insert(connection, "about", name="new", value="")
    runs.end_run(connection, run_id, NOW, outcome="done", exit_code=0, accounts={}, received=0)
    insert(connection, "about", name="newer", value="")
    begun, during, ended, after = entries(connection)[-4:]
    assert begun["happened"] == {"run_begun": 1}
    assert ended["happened"] == {"run_ended": 1}
    assert [each.get("run") for each in (begun, during, ended, after)] == [run_id] * 3 + [None]


def test_a_clock_that_has_gone_back_is_in_the_ledger(connection: sqlite3.Connection) -> None:
    runs.begin_run(connection, NOW, "test", {})
    runs.begin_run(connection, "2025-12-31T00:00:00.000Z", "test", {})
    assert entries(connection)[-1]["happened"]["clock_gone_back"] == 1


@pytest.mark.parametrize(("seconds", "said"), [(1, {}), (3, {"clock_gone_back": 1})])
def test_an_entry_that_is_dated_well_before_the_last_one_says_so(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, seconds: int,
    said: dict[str, int],
) -> None:  # fmt: skip
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for moment in (tomorrow, tomorrow - timedelta(seconds=seconds)):
        clock = SimpleNamespace(now=lambda _zone, moment=moment: moment)
        monkeypatch.setattr(module, "datetime", clock)
        insert(connection, "about", name=f"{moment}", value="")
    assert entries(connection)[-1]["happened"] == said


def test_what_an_entry_says_holds_no_content(connection: sqlite3.Connection) -> None:
    insert(
        connection, "accounts", name="acme", platform="threads", handle="Grüße", first_seen_at=NOW
    )
    (text,) = connection.execute("SELECT group_concat(entry) FROM ledger").fetchone()
    for value in ("acme", "threads", "Gr"):
        assert value not in text


@pytest.mark.parametrize("table", ["ledger", "ledger_rows"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = -id", "DELETE FROM {}"])
def test_nothing_of_it_is_deleted_and_no_entry_changed(
    connection: sqlite3.Connection, table: str, change: str
) -> None:
    if (table, change[:6]) == ("ledger_rows", "UPDATE"):
        return  # a salt is erased with its row
    with pytest.raises(sqlite3.IntegrityError, match="ledger are never"):
        connection.execute(change.format(table))


def test_a_row_that_was_damaged_is_not_committed_to_when_it_changes(
    connection: sqlite3.Connection,
) -> None:
    connection.execute("UPDATE about SET value = 'damaged' WHERE name = 'archive_id'")
    before = newest(connection)
    assert update(connection, "about", "name = 'archive_id'", (), value="new") == 1
    assert newest(connection) == before


def test_its_own_tables_have_the_hashes_of_rows_too() -> None:
    assert set(ROW_HASHED) >= LEDGER_TABLES


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "change", "remove"]), st.integers(0, 2)), max_size=12
)


@given(st.sets(st.integers(0, 2)), STEPS)
def test_several_writes_to_a_row_in_one_transaction_are_as_one(
    there: set[int], steps: list[tuple[str, int]]
) -> None:
    """Whatever the order, it says what differs between the rows before and after."""
    before = {key: f"{key} at first" for key in there}
    rows = dict(before)
    writes = TableWrites()
    for number, (step, key) in enumerate(steps):
        if step == "add" and key not in rows:
            rows[key] = f"{key} in step {number}"
            writes.add(key, rows[key])
        elif step == "change" and key in rows:
            writes.change(key, rows[key], f"{key} in step {number}")
            rows[key] = f"{key} in step {number}"
        elif step == "remove" and key in rows:
            writes.remove(key, rows.pop(key))
    assert writes.added == {key: rows[key] for key in rows.keys() - before.keys()}
    touched = {key for key in rows.keys() & before.keys() if rows[key] != before[key]}
    assert writes.changed == {key: rows[key] for key in touched}
    assert writes.before == {key: before[key] for key in touched}
    assert writes.removed == {key: before[key] for key in before.keys() - rows.keys()}


def test_no_other_code_begins_a_transaction_that_it_commits() -> None:
    """What is written in such a one would have no entry. A dry run is rolled back."""
    begins = {
        path.relative_to(ARCHIVER).as_posix()
        for path in ARCHIVER.rglob("*.py")
        if re.search(r'"(BEGIN IMMEDIATE|COMMIT)', path.read_text("utf-8"))
    }
    others = {
        "archive/transactions.py", "browse/published.py", "export/extract.py",
        "export/formats/wacz.py", "site/plan.py",
    }  # fmt: skip
    assert begins == others, (
        "copies, web archives and sites for others have no ledger, an extract that of its archive"
    )
