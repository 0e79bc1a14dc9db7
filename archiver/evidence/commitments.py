"""Checks rows against the commitments of the ledger: each against the newest that speaks of it."""

import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple

from archiver.archive.extracts import ABOUT, COUNTED_ANEW
from archiver.archive.hashed_rows import declared_key
from archiver.archive.ledger import SALT_SIZE
from archiver.archive.merkle import HASH_SIZE
from archiver.archive.row_objects import mappings, objects
from archiver.canonical import row_digest, shortened
from archiver.evidence.findings import Finding
from archiver.evidence.slices import WHOLE, Slice

_UNKNOWN = bytes(HASH_SIZE)
_MAX_NAMED = 1000
"""So many rows of one table are named one by one."""
_ROWS_AT_ONCE = 200_000
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

    def note_hidden(self, part: Part, keys: Sequence[Any]) -> None:
        """Count the commitments of a part that it hides, and that no erasure explains."""
        hidden = {number for number, key in enumerate(keys) if key is None}
        self.hidden += len(hidden - self.erased.get(part.id, set()))

    def has_own(self, table: str) -> bool:
        """Whether no entry commits to the rows of a table, as an extract has its own."""
        return self.is_extract and table == COUNTED_ANEW

    def own_keys(self, table: str) -> set[str]:
        """The keys of single rows to which no entry commits."""
        return {ABOUT} if self.is_extract and table == "about" else set()


def _wrong(subject: str, detail: str) -> Finding:
    return Finding("ledger", subject, detail)


def check_commitments(
    connection: sqlite3.Connection, tables: Sequence[str], scope: LedgerScope, part: Slice = WHOLE
) -> Iterator[Finding]:
    """Check the rows of these tables against the commitments, or against those of a slice.

    All slices together find what a check of everything does: a row that is not as the newest
    commitment says, in the slice of that; a row that is in no commitment, in the slice in which the
    keys of its table are compared.
    """
    if part.is_whole:
        for table in tables:
            yield from _check_table(connection, table, scope)
        return
    in_slice: dict[str, list[int]] = {}
    query = "SELECT table_name FROM ledger_rows WHERE id = ?"
    for number, _ in part.blocks(connection, "ledger_rows", "id", size=1):
        in_slice.setdefault(connection.execute(query, (number,)).fetchone()[0], []).append(number)
    for table in tables:
        of_table = (
            found
            for number in in_slice.get(table, ())
            for found in _parts(connection, table, f"id = {number}")
        )
        for group in _in_groups(of_table):
            yield from _check_some(connection, table, group, scope)
        if part.has(f"keys of {table}") and not _has_the_keys(connection, table, scope):
            again = LedgerScope(scope.is_extract, scope.erased)
            yield from _check_table(connection, table, again)


def _check_table(
    connection: sqlite3.Connection, table: str, scope: LedgerScope
) -> Iterator[Finding]:
    """Check all rows of a table against the newest entry that speaks of each."""
    latest = Latest(_last_changes(connection, table))
    named = present = 0
    for part in _parts(connection, table):
        keys = _keys(part)
        commitments = _commitments(part, keys)
        if keys is None or commitments is None:
            yield _unreadable(part)
            continue
        scope.note_hidden(part, keys)
        current = {}
        for key, commitment in commitments.items():
            last = latest.last_change.get(key)
            if last is not None:
                yield from _check_history(table, key, commitment, latest)
            if last is None or last <= part.id:
                current[key] = commitment
        rows = _rows(connection, table, list(current))
        present += len(rows)
        for key, detail in _differences(table, current, rows):
            named += 1
            if named <= _MAX_NAMED:
                yield _wrong(_name(table, key), detail)
    (there,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    if there > present and not scope.has_own(table):
        yield from _unknown_rows(connection, table, scope.own_keys(table))


def _check_some(
    connection: sqlite3.Connection, table: str, parts: Sequence[Part], scope: LedgerScope
) -> Iterator[Finding]:
    """Check the rows that these parts speak of.

    Which later part speaks of a row too is read from the keys of the parts that changed rows; what
    that says of the row before has to fit. Where there is none, the row itself has to fit.
    """
    read = [(part, _keys(part)) for part in parts]
    every = frozenset(key for _, keys in read for key in keys or ())
    later = _later_parts(connection, table, every)
    followed: dict[int, dict[Any, Commitment]] = {}
    for part, keys in read:
        commitments = _commitments(part, keys)
        if keys is None or commitments is None:
            yield _unreadable(part)
            continue
        scope.note_hidden(part, keys)
        current = {}
        for key, commitment in commitments.items():
            following = next((each for each in later.get(key, ()) if each > part.id), None)
            if following is None:
                current[key] = commitment
            else:
                followed.setdefault(following, {})[key] = commitment
            if commitment.change == "removed":
                yield from _check_removal(table, key, commitment)
        differences = _differences(table, current, _rows(connection, table, list(current)))
        for key, detail in islice(differences, _MAX_NAMED):
            yield _wrong(_name(table, key), detail)
    for number, earlier in sorted(followed.items()):
        for part in _parts(connection, table, f"id = {number}"):
            yield from _check_change(table, _commitments(part, _keys(part)) or {}, earlier)


def _in_groups(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """The parts in groups that speak of so many rows together as fit into memory."""
    group: list[Part] = []
    rows = 0
    for part in parts:
        group.append(part)
        rows += len(part.salts) // SALT_SIZE
        if rows >= _ROWS_AT_ONCE:
            yield group
            group, rows = [], 0
    if group:
        yield group


def _later_parts(
    connection: sqlite3.Connection, table: str, keys: frozenset[Any]
) -> dict[Any, list[int]]:
    """For each of these rows that was changed or removed, the parts that say so, in order.

    For removed rows those too that added it, perhaps again.
    """
    found: dict[Any, list[int]] = {}
    removed = set()
    for part in _parts(connection, table, "change <> 'added'"):
        for key in keys.intersection(_keys(part) or ()):
            found.setdefault(key, []).append(part.id)
            if part.change == "removed":
                removed.add(key)
    found.pop(None, None)
    if removed := removed - {None}:
        for part in _parts(connection, table, "change = 'added'"):
            for key in removed.intersection(_keys(part) or ()):
                found[key] = sorted([*found[key], part.id])
    return found


def _check_change(
    table: str, commitments: Mapping[Any, Commitment], earlier: Mapping[Any, Commitment]
) -> Iterator[Finding]:
    """Check that rows were, before a change, as the entries before it had left them."""
    for key, before in earlier.items():
        commitment = commitments.get(key)
        if commitment is None or commitment.before in {None, _UNKNOWN}:
            continue
        if before.change == "removed" or not before.fits(commitment.before or b""):
            yield _altered_before(table, key, commitment)


def _has_the_keys(connection: sqlite3.Connection, table: str, scope: LedgerScope) -> bool:
    """Whether a table has the rows that were added and not removed, by the keys in the ledger.

    Compared are sums over hashes of them that nobody can foresee, which takes no memory.
    """
    if scope.has_own(table):
        return True
    secret = os.urandom(16)
    count = total = 0
    for part in _parts(connection, table, "change <> 'changed'"):
        keys = _keys(part)
        if keys is None:
            return False
        sign = 1 if part.change == "added" else -1
        known = [hash((secret, key)) for key in keys if key is not None]
        count += sign * len(known)
        total += sign * sum(known)
    own = scope.own_keys(table)
    for row in mappings(connection.execute(f"SELECT {_key_columns(table)} FROM {table}")):
        if (key := _key(table, row)) not in own:
            count -= 1
            total -= hash((secret, key))
    return count == total == 0


def _parts(connection: sqlite3.Connection, table: str, where: str = "TRUE") -> Iterator[Part]:
    query = f"""
        SELECT id, entry_id, table_name, change, count, keys, salts, commitments, before
          FROM ledger_rows WHERE table_name = ? AND {where} ORDER BY id
    """
    return objects(connection.execute(query, (table,)), Part)


def _last_changes(connection: sqlite3.Connection, table: str) -> dict[Any, int]:
    """For each row that was ever changed or removed, the last part that speaks of it.

    By the numbers of parts, as slices do it, and not by the entries that parts name: these may be
    damaged, and the check of entries says so.
    """
    found: dict[Any, int] = {}
    removed: set[Any] = set()
    for part in _parts(connection, table, "change <> 'added'"):
        keys = _keys(part) or ()
        found.update(dict.fromkeys(keys, part.id))
        (removed.update if part.change == "removed" else removed.difference_update)(keys)
    removed.discard(None)
    if removed:  # a row may have been added again since
        for part in _parts(connection, table, "change = 'added'"):
            for key in removed.intersection(_keys(part) or ()):
                found[key] = max(found[key], part.id)
    found.pop(None, None)
    return found


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


def _commitments(part: Part, keys: Sequence[Any] | None) -> dict[Any, Commitment] | None:
    """What a part says of each row whose key is not hidden; None where it is damaged.

    `keys` are those of the part.
    """
    before = part.before if part.before is not None else b""
    expected = HASH_SIZE * part.count if part.change != "added" else 0
    if (
        keys is None
        or len(keys) != part.count
        or len(part.salts) != SALT_SIZE * part.count
        or len(part.commitments) != HASH_SIZE * part.count
        or len(before) != expected
        or any(_has_more(part, before, number) for number, key in enumerate(keys) if key is None)
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
        yield from _check_removal(table, key, commitment)
    else:
        latest.commitments[key] = commitment
    if commitment.before in {None, _UNKNOWN}:
        return
    if earlier is None or not earlier.fits(commitment.before or b""):
        yield _altered_before(table, key, commitment)


def _check_removal(table: str, key: Any, commitment: Commitment) -> Iterator[Finding]:
    if not commitment.fits(commitment.before or b""):
        yield _wrong(
            _name(table, key),
            f"was removed, and what entry {commitment.entry_id} says of it is contradictory",
        )


def _altered_before(table: str, key: Any, commitment: Commitment) -> Finding:
    return _wrong(
        _name(table, key),
        f"had been altered outside archiver when entry {commitment.entry_id} was written",
    )


def _unreadable(part: Part) -> Finding:
    return _wrong(f"entry {part.entry_id}", f"its commitments to {part.table_name} cannot be read")


def _has_more(part: Part, before: bytes, number: int) -> bool:
    """Whether something is left of an item whose key is hidden, beside its commitment."""
    salt = part.salts[number * SALT_SIZE : (number + 1) * SALT_SIZE]
    return any(salt) or any(before[number * HASH_SIZE : (number + 1) * HASH_SIZE])


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


def _key_columns(table: str) -> str:
    return ", ".join(declared_key(table))


def _unknown_rows(connection: sqlite3.Connection, table: str, own: set[str]) -> Iterator[Finding]:
    """Name the rows that no entry commits to, but for those with the keys `own`.

    It needs the keys of all rows at once, so it is asked only where there are such rows.
    """
    known: set[Any] = set(own)
    for part in _parts(connection, table):
        keys = _keys(part) or []
        (known.difference_update if part.change == "removed" else known.update)(keys)
    unknown = (
        row
        for row in mappings(connection.execute(f"SELECT {_key_columns(table)} FROM {table}"))
        if _key(table, row) not in known
    )
    for row in islice(unknown, _MAX_NAMED):
        yield _wrong(_name(table, _key(table, row)), "was added outside archiver")


def _name(table: str, key: Any) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    return f"{table} {' / '.join(map(str, parts))}"
