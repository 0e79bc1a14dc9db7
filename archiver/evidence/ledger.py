"""Checks the ledger: its chain, its tree at every checkpoint, and every row that it commits to.

A row that somebody altered together with its own hash and the checksum of its table is found here:
no entry of the ledger commits to it.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Any, Literal, NamedTuple

from archiver.archive.blanking import blanked_items
from archiver.archive.checkpoints import checkpoint_text, origin
from archiver.archive.extracts import ABOUT, COUNTED_ANEW, read_extract_note
from archiver.archive.hashed_rows import declared_key
from archiver.archive.intact import accept_invalid_text
from archiver.archive.ledger import LEDGER_TABLES, SALT_SIZE
from archiver.archive.merkle import HASH_SIZE, GrowingTree, leaf_hash
from archiver.archive.row_objects import mappings, objects
from archiver.archive.schema import ROW_HASHED
from archiver.canonical import row_digest, shortened
from archiver.evidence import notes, standalone
from archiver.evidence.findings import Finding
from archiver.evidence.signing_keys import KeyOnRecord, keys_on_record, record_text

_UNKNOWN = bytes(HASH_SIZE)
_MAX_NAMED = 1000
"""So many rows of one table are named one by one."""
_MAX_KEYS = 64 << 20  # bytes; more are in no part that this program writes


@dataclass(frozen=True, slots=True)
class Part:
    """A row of `ledger_rows`."""

    id: int
    entry_id: int
    table_name: str
    change: str
    count: int
    keys: bytes
    salts: bytes
    commitments: bytes
    before: bytes | None


class Commitment(NamedTuple):
    """What one entry says of one row. `before` is the row's hash before; None where it is new."""

    entry_id: int
    change: str
    salt: bytes
    value: bytes
    before: bytes | None

    def fits(self, digest: bytes) -> bool:
        """Whether it commits to a row with this hash."""
        return sha256(self.salt + digest).digest() == self.value


@dataclass(slots=True)
class Latest:
    """The rows of a table that more than one entry speaks of, by key."""

    last_change: dict[Any, int] = field(default_factory=dict)
    commitments: dict[Any, Commitment] = field(default_factory=dict)


@dataclass(slots=True)
class LedgerScope:
    """Whether the archive is an extract, and how many commitments are to rows that it hides.

    `erased` are those to rows that were erased: items by the ids of their parts.
    """

    is_extract: bool
    erased: Mapping[int, Set[int]]
    hidden: int = 0


def check_ledger(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Check the ledger and the rows that it commits to; in a transaction."""
    accept_invalid_text(connection)
    try:
        yield from _check_entries(connection)
        scope = LedgerScope(read_extract_note(connection) is not None, blanked_items(connection))
        for table in ROW_HASHED:
            if table not in LEDGER_TABLES:
                yield from _check_table(connection, table, scope)
        yield from _hidden(scope)
    except (AttributeError, TypeError, ValueError) as error:  # a page of another table in its place
        yield _wrong("ledger", f"cannot be read: {error}")


def _hidden(scope: LedgerScope) -> Iterator[Finding]:
    """What the ledger does not say of rows, because their keys are hidden."""
    if scope.hidden and scope.is_extract:
        detail = f"{scope.hidden:,} of its commitments are to rows that are not in this extract"
        yield Finding("extract", "ledger", detail)
    elif scope.hidden:
        yield _wrong(
            "ledger", f"{scope.hidden:,} of its commitments are hidden, in a whole archive"
        )


def _wrong(subject: str, detail: str) -> Finding:
    return Finding("ledger", subject, detail)


# entries and checkpoints


def _check_entries(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Check the chain, each entry against the commitments that belong to it, and the tree."""
    query = "SELECT id, at, size, root, subtrees, note FROM checkpoints ORDER BY size, id"
    checkpoints = list(mappings(connection.execute(query)))
    name, tree, previous = origin(connection), GrowingTree(), None
    known = keys_on_record(connection)
    yield from _check_keys(name, known)
    keys = _usable(known)
    waiting = iter([*checkpoints])
    checkpoint = next(waiting, None)
    for number, (entry_id, text) in enumerate(
        connection.execute("SELECT id, entry FROM ledger ORDER BY id"), 1
    ):
        if entry_id != number:
            yield _wrong(f"entry {number}", "is missing: the ledger has a gap")
            return
        data = text.encode("utf-8", "surrogateescape")
        yield from _check_entry(connection, entry_id, data, previous)
        previous = leaf_hash(data)
        tree.add(previous)
        while checkpoint is not None and checkpoint["size"] <= tree.size:
            yield from _check_checkpoint(checkpoint, name, tree, keys)
            checkpoint = next(waiting, None)
    if checkpoint is not None:
        yield _wrong(
            "ledger",
            f"its end is missing: the checkpoint of {checkpoint['at']} counts "
            f"{checkpoint['size']:,} entries, and there are {tree.size:,}",
        )


def _check_checkpoint(
    checkpoint: Mapping[str, Any], name: str, tree: GrowingTree, keys: standalone.Keys
) -> Iterator[Finding]:
    subject = f"checkpoint {checkpoint['id']}"
    root = tree.root()
    if checkpoint["size"] != tree.size or checkpoint["root"] != root.hex():
        yield _wrong(
            subject,
            f"of {checkpoint['at']} is of another ledger: its first {checkpoint['size']:,} entries "
            "do not have the hash that they had then",
        )
    elif wrong := _wrong_in_note(
        checkpoint["note"], checkpoint_text(name, tree.size, root), keys, tree.size
    ):
        yield Finding(wrong[0], subject, wrong[1])
    elif checkpoint["subtrees"] != b"".join(tree.subtrees):
        yield _wrong(subject, "the next one would be of another ledger: its subtrees were altered")


def _wrong_in_note(
    note: str, text: str, keys: standalone.Keys, size: int
) -> tuple[Literal["ledger", "foreign_key"], str] | None:
    """What is wrong with the note of a checkpoint; its text should be this."""
    if note == text:
        return None  # it was not signed
    try:
        if standalone.split_note(note)[0] != text:
            return "ledger", "its text does not say what its columns say"
        key = standalone.key_after(keys, size)
        signed, is_all = notes.signers(note, [key] if key else [])
    except ValueError:
        return "ledger", "its text does not say what its columns say"
    if signed and is_all:
        return None
    return "foreign_key", "is not signed by the key that the archive had on record then"


def _usable(known: Sequence[KeyOnRecord]) -> standalone.Keys:
    keys: standalone.Keys = []
    for row in known:
        with suppress(ValueError):
            keys.append((row.since, row.reason, row.public))
    return keys


def _check_keys(name: str, known: Sequence[KeyOnRecord]) -> Iterator[Finding]:
    """Check the record of each key: it signed it, and so did a key that was rotated."""
    before: bytes | None = None
    for row in known:
        subject = f"signing_keys {row.id}"
        text = record_text(name, row.since, row.reason, row.public_key, row.at)
        try:
            key = row.public
            signed, is_all = notes.signers(row.note, [each for each in (before, key) if each])
            is_right = standalone.split_note(row.note)[0] == text and is_all
        except ValueError:
            yield _wrong(subject, "cannot be read")
            continue
        expected = [before, key] if row.reason == "rotated" else [key]
        if (row.reason == "first") != (before is None) or not is_right or signed != expected:
            yield Finding("foreign_key", subject, "its record is not signed as it says")
        before = key


def _check_entry(
    connection: sqlite3.Connection, entry_id: int, data: bytes, previous: bytes | None
) -> Iterator[Finding]:
    subject = f"entry {entry_id}"
    try:
        entry = json.loads(data)
        named, rows = entry["previous"], entry["rows"]
    except (ValueError, KeyError, TypeError):
        yield _wrong(subject, "cannot be read")
        return
    if named != (previous.hex() if previous else None):
        yield _wrong(subject, "does not follow the entry before it: one of the two was altered")
    query = "SELECT table_name, change, count, commitments FROM ledger_rows WHERE entry_id = ?"
    found = [
        [table, change, count, sha256(commitments).hexdigest()]
        for table, change, count, commitments in connection.execute(
            f"{query} ORDER BY id", (entry_id,)
        )
    ]
    if found != rows:
        yield _wrong(subject, "the commitments that are kept are not those that it names")


# rows


def _check_table(
    connection: sqlite3.Connection, table: str, scope: LedgerScope
) -> Iterator[Finding]:
    """Check all rows of a table against the newest entry that speaks of each."""
    latest = Latest(_last_changes(connection, table))
    named = present = 0
    for part in _parts(connection, table):
        commitments = _commitments(part)
        if commitments is None:
            yield _wrong(f"entry {part.entry_id}", f"its commitments to {table} cannot be read")
            continue
        scope.hidden += len(_hidden_items(part) - scope.erased.get(part.id, set()))
        current = {}
        for key, commitment in commitments.items():
            last = latest.last_change.get(key)
            if last is not None:
                yield from _check_history(table, key, commitment, latest)
            if last is None or last <= commitment.entry_id:
                current[key] = commitment
        rows = _rows(connection, table, list(current))
        present += len(rows)
        for key, detail in _differences(table, current, rows):
            named += 1
            if named <= _MAX_NAMED:
                yield _wrong(_name(table, key), detail)
    (there,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    if there > present and not (scope.is_extract and table == COUNTED_ANEW):
        own = {ABOUT} if scope.is_extract and table == "about" else set()
        yield from _unknown_rows(connection, table, own)


def _parts(connection: sqlite3.Connection, table: str, where: str = "TRUE") -> Iterator[Part]:
    query = f"""
        SELECT id, entry_id, table_name, change, count, keys, salts, commitments, before
          FROM ledger_rows WHERE table_name = ? AND {where} ORDER BY id
    """
    return objects(connection.execute(query, (table,)), Part)


def _last_changes(connection: sqlite3.Connection, table: str) -> dict[Any, int]:
    """For each row that was ever changed or removed, the last entry that says so."""
    found: dict[Any, int] = {}
    for part in _parts(connection, table, "change <> 'added'"):
        found.update(dict.fromkeys(_keys(part) or (), part.entry_id))
    found.pop(None, None)
    return found


def _hidden_items(part: Part) -> set[int]:
    """The items of a part whose key is hidden."""
    return {number for number, key in enumerate(_keys(part) or ()) if key is None}


def _keys(part: Part) -> list[Any] | None:
    """The keys of the rows of a part, composite ones as tuples; None where they are damaged.

    A hidden key is None.
    """
    try:
        unpacking = zlib.decompressobj()
        keys = json.loads(unpacking.decompress(part.keys, _MAX_KEYS))
        if not unpacking.eof or unpacking.unused_data:
            return None
        return [tuple(key) if isinstance(key, list) else key for key in keys]
    except (zlib.error, ValueError, TypeError):
        return None


def _commitments(part: Part) -> dict[Any, Commitment] | None:
    """What a part says of each row whose key is not hidden; None where it is damaged."""
    keys = _keys(part)
    before = part.before if part.before is not None else b""
    expected = HASH_SIZE * part.count if part.change != "added" else 0
    if (
        keys is None
        or len(keys) != part.count
        or len(part.salts) != SALT_SIZE * part.count
        or len(part.commitments) != HASH_SIZE * part.count
        or len(before) != expected
    ):
        return None
    return {
        key: Commitment(
            part.entry_id, part.change,
            part.salts[number * SALT_SIZE : (number + 1) * SALT_SIZE],
            part.commitments[number * HASH_SIZE : (number + 1) * HASH_SIZE],
            before[number * HASH_SIZE : (number + 1) * HASH_SIZE] or None,
        )
        for number, key in enumerate(keys)
        if key is not None
    }  # fmt: skip


def _check_history(
    table: str, key: Any, commitment: Commitment, latest: Latest
) -> Iterator[Finding]:
    """Check that the row was, before this change, as the entry before it had left it."""
    earlier = latest.commitments.get(key)
    if commitment.change == "removed":
        latest.commitments.pop(key, None)
        if not commitment.fits(commitment.before or b""):
            yield _wrong(
                _name(table, key),
                f"was removed, and what entry {commitment.entry_id} says of it is contradictory",
            )
    else:
        latest.commitments[key] = commitment
    if commitment.before in {None, _UNKNOWN}:
        return
    if earlier is None or not earlier.fits(commitment.before or b""):
        yield _wrong(
            _name(table, key),
            f"had been altered outside archiver when entry {commitment.entry_id} was written",
        )


def _differences(
    table: str, commitments: Mapping[Any, Commitment], rows: Mapping[Any, Mapping[str, Any]]
) -> Iterator[tuple[Any, str]]:
    """The keys of rows that are not as the newest entry says, and how they differ.

    The hash that a row has is taken for true: another check compares it with the row's columns.
    """
    for key, commitment in commitments.items():
        row, entry = rows.get(key), f"entry {commitment.entry_id}"
        if commitment.change == "removed":
            if row is not None:
                yield key, f"is there, though {entry} says that it was removed"
        elif row is None:
            yield key, f"is missing, though {entry} says that it was written"
        elif not _fits(table, row, commitment):
            yield key, f"is not the row that {entry} says was written"


def _fits(table: str, row: Mapping[str, Any], commitment: Commitment) -> bool:
    """Whether it commits to the row; also where only the other check can tell, see above."""
    digest = str(row["row_sha256"])
    try:
        if _is_shortened(table):
            digest = row_digest(table, row)
            if shortened(table, digest) != row["row_sha256"]:
                return True
        return commitment.fits(bytes.fromhex(digest))
    except (ValueError, TypeError, OverflowError):  # UnicodeEncodeError is a ValueError too
        return _is_shortened(table)


def _is_shortened(table: str) -> bool:
    """Whether the rows of a table have the beginning of their hash only."""
    return shortened(table, _UNKNOWN.hex()) != _UNKNOWN.hex()


def _rows(
    connection: sqlite3.Connection, table: str, keys: Sequence[Any]
) -> dict[Any, dict[str, Any]]:
    """Those of the rows that are there, by their keys; where that is enough, without content."""
    columns = declared_key(table)
    names = (f"{table}.{name}" for name in (*columns, "row_sha256"))
    wanted = f"{table}.*" if _is_shortened(table) else ", ".join(names)
    if len(columns) == 1:
        condition = f"{columns[0]} IN (SELECT value FROM json_each(?))"
        query = f"SELECT {wanted} FROM {table} WHERE {condition}"
    else:
        condition = " AND ".join(
            f"{table}.{column} = json_extract(each.value, '$[{number}]')"
            for number, column in enumerate(columns)
        )
        query = f"SELECT {wanted} FROM json_each(?) AS each CROSS JOIN {table} ON {condition}"
    return {
        _key(table, row): row for row in mappings(connection.execute(query, (json.dumps(keys),)))
    }


def _key(table: str, row: Mapping[str, Any]) -> Any:
    columns = declared_key(table)
    return row[columns[0]] if len(columns) == 1 else tuple(row[column] for column in columns)


def _unknown_rows(connection: sqlite3.Connection, table: str, own: set[str]) -> Iterator[Finding]:
    """Name the rows that no entry commits to, but for those with the keys `own`.

    It needs the keys of all rows at once, so it is asked only where there are such rows.
    """
    known: set[Any] = set(own)
    for part in _parts(connection, table):
        keys = _keys(part) or []
        (known.difference_update if part.change == "removed" else known.update)(keys)
    columns = ", ".join(declared_key(table))
    unknown = (
        row
        for row in mappings(connection.execute(f"SELECT {columns} FROM {table}"))
        if _key(table, row) not in known
    )
    for row in islice(unknown, _MAX_NAMED):
        yield _wrong(_name(table, _key(table, row)), "was added outside archiver")


def _name(table: str, key: Any) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    return f"{table} {' / '.join(map(str, parts))}"
