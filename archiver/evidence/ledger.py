"""Checks the ledger: its chain, its tree at every checkpoint, and every row that it commits to.

A row that somebody altered together with its own hash and the checksum of its table is found here:
no entry of the ledger commits to it.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any, Literal

from archiver.archive.blanking import blanked_items
from archiver.archive.checkpoints import checkpoint_text, origin
from archiver.archive.extracts import read_extract_note
from archiver.archive.facts import ROW_HASHED
from archiver.archive.intact import accept_invalid_text
from archiver.archive.ledger import LEDGER_TABLES
from archiver.archive.merkle import GrowingTree, leaf_hash
from archiver.archive.row_objects import mappings
from archiver.evidence import notes, standalone
from archiver.evidence.certificates import check_certificates
from archiver.evidence.commitments import LedgerScope, check_commitments
from archiver.evidence.findings import Finding
from archiver.evidence.signing_keys import KeyOnRecord, keys_on_record, record_text
from archiver.evidence.slices import WHOLE, Slice


def check_ledger(connection: sqlite3.Connection, part: Slice = WHOLE) -> Iterator[Finding]:
    """Check the ledger and the rows that it commits to; in a transaction.

    Of a slice the entries and the commitments that are in it are checked, and in one of all slices
    the tree.
    """
    accept_invalid_text(connection)
    try:
        if part.is_whole or part.has("tree"):
            yield from _check_tree(connection, each=part.is_whole)
        if not part.is_whole:
            yield from _check_some_entries(connection, part)
        if part.has("certificates"):
            yield from check_certificates(connection, _usable(keys_on_record(connection)))
        scope = LedgerScope(read_extract_note(connection) is not None, blanked_items(connection))
        tables = [table for table in ROW_HASHED if table not in LEDGER_TABLES]
        yield from check_commitments(connection, tables, scope, part)
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


def _check_tree(connection: sqlite3.Connection, *, each: bool) -> Iterator[Finding]:
    """Check that no entry is missing, the tree at every checkpoint, and perhaps `each` entry."""
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
        data = _entry_bytes(text)
        if each:
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


def _entry_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _check_some_entries(connection: sqlite3.Connection, part: Slice) -> Iterator[Finding]:
    """Check the entries of a slice. One that is missing is a finding of another check."""
    query = "SELECT id, entry FROM ledger WHERE id IN (?, ? - 1) ORDER BY id"
    for number, _ in part.blocks(connection, "ledger", "id", size=1):
        found = {
            entry_id: _entry_bytes(text)
            for entry_id, text in connection.execute(query, (number, number))
        }
        before = found.get(number - 1)
        if before is not None or number == 1:
            previous = leaf_hash(before) if before is not None else None
            yield from _check_entry(connection, number, found[number], previous)


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
