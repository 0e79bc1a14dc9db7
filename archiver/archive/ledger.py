"""The ledger: an entry for every transaction, which commits to every row that it wrote.

An entry is a JSON object without any content: what the transaction did, when, in which run, and for
each table one hash over the commitments to the rows that it added, changed and removed. It names
the entry before it by its hash, so the entries are a chain, and they are the leaves of a Merkle
tree (see `merkle`). The commitment to a row is the SHA-256 of a random salt and the row's hash. The
salt is in `ledger_rows`: once a row and its salt are erased, nobody can guess what the row was.

`rows` notes each row that it writes, and `transactions` writes the entry before its commit: so no
other code can forget it. docs/evidence-format.md describes the format.
"""

import os
import sqlite3
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from archiver.archive.hashed_rows import declared_key, with_hash, write_rows
from archiver.archive.merkle import HASH_SIZE, leaf_hash
from archiver.canonical import canonical_json, row_digest, shortened
from archiver.errors import StorageError
from archiver.models import time_text

FORMAT = 1
"""The version of the format of entries."""
LEDGER_TABLES = frozenset({"ledger", "ledger_rows", "checkpoints"})
"""The tables that the ledger consists of; it does not commit to their rows."""
SALT_SIZE = 16
CHANGES = ("added", "changed", "removed")
"""What an entry says of rows, in the order in which it lists them."""
_UNKNOWN = bytes(HASH_SIZE)  # in place of the hash of a row that was damaged before it was removed
_ROWS_OF_A_PART = 10_000
_CLOCK_CORRECTION = timedelta(seconds=2)
"""A clock that goes back by less is set right by the system, as happens every day."""

Row = Mapping[str, Any]
RowKey = Any
"""The primary key of a row: one value, or a tuple of several."""


class ChangedRow(NamedTuple):
    """A row before and after a change, and its whole hash then (see `row_digest`)."""

    before: Row
    after: Row
    digest_before: str
    digest: str


@dataclass(slots=True)
class TableWrites:
    """The rows of a table that a transaction wrote, by their keys: their hashes after and before.

    A row that is written several times counts once: as it was before the first of them, and as it
    is after the last.
    """

    added: dict[RowKey, str] = field(default_factory=dict)
    changed: dict[RowKey, str] = field(default_factory=dict)
    removed: dict[RowKey, str] = field(default_factory=dict)
    before: dict[RowKey, str] = field(default_factory=dict)

    def add(self, key: RowKey, digest: str) -> None:
        """Note a row that was added, perhaps in place of a removed one."""
        if key in self.removed:
            self.before[key] = self.removed.pop(key)
            self.changed[key] = digest
        else:
            self.added[key] = digest

    def change(self, key: RowKey, digest_before: str, digest: str) -> None:
        """Note a row that was changed."""
        if key in self.added:
            self.added[key] = digest
        else:
            self.before.setdefault(key, digest_before)
            self.changed[key] = digest

    def remove(self, key: RowKey, digest: str) -> None:
        """Note a row that was removed; one that the transaction added itself never was there."""
        if self.added.pop(key, None) is None:
            self.changed.pop(key, None)
            self.removed[key] = self.before.pop(key, digest)


class TransactionWrites:
    """What a transaction has written so far: rows by table, and what happened how often."""

    def __init__(self) -> None:
        self.tables: dict[str, TableWrites] = {}
        self.happened: Counter[str] = Counter()

    def of(self, table: str) -> TableWrites:
        """The written rows of a table."""
        return self.tables.setdefault(table, TableWrites())


_open: dict[int, TransactionWrites] = {}
"""The transactions that are open, by the id of their connection: SQLite's own has no attributes."""


@contextmanager
def ledger_entry(connection: sqlite3.Connection) -> Iterator[Callable[[], None]]:
    """Collect what is written in the block; the function that it gives writes the entry.

    For `transaction` alone, which calls it right before the COMMIT.
    """
    writes = _open[id(connection)] = TransactionWrites()
    try:
        yield lambda: write_entry(connection, writes)
    finally:
        del _open[id(connection)]


def note_added(
    connection: sqlite3.Connection, table: str, rows: Sequence[Row],
    digests: Iterable[str] | None = None,
) -> None:  # fmt: skip
    """Note rows that were added, with their hashes; `digests` are the whole ones, if known."""
    writes = _open.get(id(connection))
    if writes is None or table in LEDGER_TABLES:  # a dry run, which is rolled back
        return
    of_table = writes.of(table)
    keys = map(itemgetter(*declared_key(table)), rows)
    digests = map(_whole_digest(table), rows) if digests is None else digests
    if of_table.removed:
        for key, digest in zip(keys, digests, strict=True):
            of_table.add(key, digest)
    else:
        of_table.added.update(zip(keys, digests, strict=True))
    if words := _ADDED.get(table):
        writes.happened.update(filter(None, map(words, rows)))


def note_changed(connection: sqlite3.Connection, table: str, rows: Iterable[ChangedRow]) -> None:
    """Note rows that were changed. Damaged ones are left out: what they say was never written."""
    writes = _open.get(id(connection))
    if writes is None or table in LEDGER_TABLES:
        return
    of_table, key_in = writes.of(table), itemgetter(*declared_key(table))
    words = _CHANGED.get(table)
    for row in rows:
        key, old_key = key_in(row.after), key_in(row.before)
        if key == old_key:
            of_table.change(key, row.digest_before, row.digest)
        else:
            of_table.remove(old_key, row.digest_before)
            of_table.add(key, row.digest)
        if words and (word := words(row.after)):
            writes.happened[word] += 1


def note_removed(connection: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Note rows that were deleted."""
    writes = _open.get(id(connection))
    if writes is None or table in LEDGER_TABLES:
        return
    of_table, key_in = writes.of(table), itemgetter(*declared_key(table))
    for row in rows:
        of_table.remove(key_in(row), digest_of_intact(table, row))


def note_happened(connection: sqlite3.Connection, what: str) -> None:
    """Note something that no row says, in a transaction that writes rows."""
    if (writes := _open.get(id(connection))) is not None:
        writes.happened[what] += 1


_ADDED: dict[str, Callable[[Row], str | None]] = {
    "account_profiles": lambda _: "profile",
    "actions": lambda row: row["what"],
    "care": lambda row: row["what"],
    "coverage": lambda _: "coverage",
    "erasures": lambda row: f"erasure_{row['state']}",
    "events": lambda row: row["what"],
    "holds": lambda _: "hold",
    "media": lambda _: "media_stored",
    "packages": lambda _: "import",
    "quarantine": lambda _: "quarantined",
    "resolutions": lambda row: None if row.get("reason_code") else "resolved",
    "responses": lambda _: "response",
    "revisions": lambda _: "revision",
    "restores": lambda _: "restore_accepted",
    "runs": lambda _: "run_begun",
    "signing_keys": lambda row: "key_begun" if row["reason"] == "first" else "key_changed",
    "time_stamps": lambda _: "time_stamp",
}
"""What it means that a row was added to a table, in the words of the ledger."""
_CHANGED: dict[str, Callable[[Row], str | None]] = {
    "coverage": lambda _: "coverage",
    "erasures": lambda row: f"erasure_{row['state']}",
    "holds": lambda _: "hold_released",
    "runs": lambda row: None if row["outcome"] == "running" else "run_ended",
}
"""The same of a row that was changed."""


def write_entry(connection: sqlite3.Connection, writes: TransactionWrites) -> None:
    """Add the entry of a transaction to the ledger, unless it wrote nothing; inside of it."""
    parts = []
    for table in sorted(writes.tables):
        of_table = writes.tables[table]
        for change in CHANGES:
            digests: dict[RowKey, str] = getattr(of_table, change)
            before = of_table.before if change == "changed" else None
            noted = iter(digests.items())
            while some := dict(islice(noted, _ROWS_OF_A_PART)):
                parts.append(_part(table, change, some, before))
    if not parts:
        return
    query = "SELECT id, entry FROM ledger ORDER BY id DESC LIMIT 1"
    last_id, last = connection.execute(query).fetchone() or (0, None)
    now = datetime.now(UTC)
    at = time_text(now)
    if last_id and time_text(now + _CLOCK_CORRECTION) < _time_of(last):
        writes.happened["clock_gone_back"] = 1
    entry: dict[str, Any] = {
        "format": FORMAT,
        "at": at,
        "previous": leaf_hash(entry_bytes(last)).hex() if last_id else None,
        "happened": dict(writes.happened),
        "rows": [
            [part["table_name"], part["change"], part["count"],
             sha256(part["commitments"]).hexdigest()]
            for part in parts
        ],
    }  # fmt: skip
    query = "SELECT id, outcome FROM runs ORDER BY id DESC LIMIT 1"
    run_id, outcome = connection.execute(query).fetchone() or (None, None)
    if outcome == "running" or writes.happened["run_ended"]:
        entry["run"] = run_id
    text = canonical_json(entry).decode()
    write_rows(connection, "ledger", [with_hash("ledger", {"id": last_id + 1, "entry": text})])
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM ledger_rows").fetchone()
    rows = [
        with_hash("ledger_rows", {"id": number, "entry_id": last_id + 1} | part)
        for number, part in enumerate(parts, newest + 1)
    ]
    write_rows(connection, "ledger_rows", rows)


class _DatedEntry(msgspec.Struct):
    at: str


def _time_of(entry: object) -> str:
    """When an entry was written; empty where it is damaged."""
    try:
        return msgspec.json.decode(entry_bytes(entry), type=_DatedEntry).at
    except msgspec.DecodeError:
        return ""


def entry_bytes(entry: object) -> bytes:
    """The bytes of an entry as the column has it. Raises StorageError where that is damaged."""
    if isinstance(entry, str):
        return entry.encode("utf-8", "surrogateescape")
    raise StorageError(
        "The ledger in the database is damaged",
        kept="Nothing was deleted",
        hint="Run archiver verify --repair",
        code="damaged",
    )


def _part(
    table: str, change: str, digests: Mapping[RowKey, str], before: Mapping[RowKey, str] | None
) -> dict[str, Any]:
    """The columns of a row of `ledger_rows`."""
    keys, whole = list(digests), [bytes.fromhex(digest) for digest in digests.values()]
    random = os.urandom(SALT_SIZE * len(keys))
    salts = [random[start : start + SALT_SIZE] for start in range(0, len(random), SALT_SIZE)]
    commitments = [
        sha256(salt + digest).digest() for salt, digest in zip(salts, whole, strict=True)
    ]
    old = None
    if change == "removed":
        old = b"".join(whole)
    elif before is not None:
        old = b"".join(bytes.fromhex(before[key]) for key in keys)
    return {
        "table_name": table, "change": change, "count": len(keys),
        "keys": zlib.compress(msgspec.json.encode(keys), 1),
        "salts": random, "commitments": b"".join(commitments), "before": old,
    }  # fmt: skip


def digest_of_intact(table: str, row: Row) -> str:
    """The whole hash of a row; zeros where it is damaged, so that nothing is known of it."""
    try:
        digest = row_digest(table, row)
    except (UnicodeEncodeError, TypeError, OverflowError):
        return _UNKNOWN.hex()
    return digest if shortened(table, digest) == row["row_sha256"] else _UNKNOWN.hex()


def _whole_digest(table: str) -> Callable[[Row], str]:
    """How to get the whole hash of a row that has just been written."""
    if shortened(table, _UNKNOWN.hex()) == _UNKNOWN.hex():
        return itemgetter("row_sha256")
    return lambda row: row_digest(table, row)
