"""Checkpoints that are known from elsewhere, and the ledger against each of them."""

import sqlite3
from base64 import b64decode
from collections.abc import Iterator, Sequence

from msgspec import Struct

from archiver.archive.checkpoints import root_at
from archiver.archive.merkle import GrowingTree, leaf_hash
from archiver.errors import StorageError
from archiver.evidence import notes
from archiver.evidence.findings import Finding
from archiver.evidence.notes import head_of
from archiver.evidence.slices import WHOLE, Slice


class KnownHead(Struct, frozen=True):
    """A checkpoint, and where it is known from. `root` is in hex."""

    name: str
    size: int
    root: str
    note: str


def known_head(name: str, note: str, log: str) -> KnownHead:
    """A checkpoint of the log. Raises ValueError for what is none, or is of another log."""
    found, size, root = head_of(note)
    if found != log:
        raise ValueError(f"it is of another archive, {found}")
    return KnownHead(name, size, root.hex(), note)


def check_known_heads(
    connection: sqlite3.Connection, heads: Sequence[KnownHead], part: Slice = WHOLE
) -> Iterator[Finding]:
    """Check the ledger against each of them, reading all its entries up to the last one.

    What was lost when a copy was put back, and accepted, is no finding. Of slices, one reads all
    entries; the others believe the checkpoints, and read what was added since.
    """
    lost = accepted_ranges(connection)
    keys = _public_keys(connection)
    sizes = {head.size for head in heads}
    reads_all = part.is_whole or part.has("tree")
    roots = roots_at(connection, sizes) if reads_all else believed_roots(connection, sizes)
    (size,) = connection.execute("SELECT count(*) FROM ledger").fetchone()
    for head in heads:
        if finding := _check_signature(head, keys):
            yield finding
            continue
        root = roots.get(head.size)
        if root == head.root or is_in(head, lost):
            continue
        if root is None:
            yield Finding(
                "rolled_back", head.name,
                f"has a checkpoint of {head.size:,} entries, and the ledger has {size:,}: an older "
                "copy was put back, or the end of the ledger was cut off",
            )  # fmt: skip
        else:
            yield Finding(
                "rebuilt", head.name,
                f"has a checkpoint of other {head.size:,} entries: the ledger was altered or made "
                "anew, or an older copy was put back and went on",
            )  # fmt: skip


def accepted_ranges(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    """What was lost by each copy that was put back: beyond how many entries, up to how many."""
    return connection.execute("SELECT kept_size, lost_size FROM restores").fetchall()


def is_in(head: KnownHead, lost: Sequence[tuple[int, int]]) -> bool:
    """Whether a checkpoint counts entries that were lost, lawfully."""
    return any(kept < head.size <= end for kept, end in lost)


def _check_signature(head: KnownHead, keys: Sequence[bytes]) -> Finding | None:
    """A finding where a signed checkpoint from elsewhere has a signature of no key on record."""
    try:
        signed, is_all = notes.signers(head.note, keys)
    except ValueError as error:
        return Finding("ledger", head.name, f"has a checkpoint that cannot be read: {error}")
    if is_all and (signed or head.note.count("\n") == 3):
        return None
    return Finding(
        "foreign_key", head.name,
        f"has a checkpoint of {head.size:,} entries that none of the archive's keys has signed",
    )  # fmt: skip


def _public_keys(connection: sqlite3.Connection) -> list[bytes]:
    rows = connection.execute("SELECT public_key FROM signing_keys ORDER BY id")
    found = []
    for (text,) in rows:
        try:
            found.append(b64decode(text, validate=True))
        except ValueError:  # whoever checks the rows will say so
            continue
    return found


def believed_roots(connection: sqlite3.Connection, sizes: set[int]) -> dict[int, str]:
    """The roots over the first so many entries, from checkpoints where they can be read."""
    try:
        found = {size: root_at(connection, size) for size in sizes}
    except (StorageError, TypeError, ValueError):  # one is damaged
        return roots_at(connection, sizes)
    return {size: root for size, root in found.items() if root is not None}


def roots_at(connection: sqlite3.Connection, sizes: set[int]) -> dict[int, str]:
    """The roots over the first so many entries, in hex, where there are as many."""
    tree, roots = GrowingTree(), {}
    query = "SELECT entry FROM ledger WHERE id <= ? ORDER BY id"
    for (entry,) in connection.execute(query, (max(sizes, default=0),)):
        data = entry if isinstance(entry, bytes) else str(entry).encode("utf-8", "surrogateescape")
        tree.add(leaf_hash(data))
        if tree.size in sizes:
            roots[tree.size] = tree.root().hex()
    return roots


def accepted_range(
    connection: sqlite3.Connection, heads: Sequence[KnownHead]
) -> tuple[int, KnownHead] | None:
    """How many entries were kept, and the newest checkpoint of what was lost since.

    None where nothing was lost that is not on record already.
    """
    roots = roots_at(connection, {head.size for head in heads})
    accepted = accepted_ranges(connection)
    lost = [
        head for head in heads if roots.get(head.size) != head.root and not is_in(head, accepted)
    ]
    if not lost:
        return None
    first = min(head.size for head in lost)
    kept = [head.size for head in heads if roots.get(head.size) == head.root and head.size < first]
    return max(kept, default=0), max(lost, key=lambda head: head.size)
