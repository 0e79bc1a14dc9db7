"""Checkpoints: the state of the ledger at the end of a run, in one hash, as text to give away.

The text is that of a tlog-checkpoint (https://c2sp.org/tlog-checkpoint): the name of the log, the
number of its entries and the root hash of the Merkle tree over them.
"""

import sqlite3
from base64 import b64encode
from typing import NamedTuple

from archiver.archive.ledger import entry_bytes
from archiver.archive.merkle import HASH_SIZE, GrowingTree, leaf_hash
from archiver.archive.rows import insert
from archiver.archive.transactions import transaction


class Checkpoint(NamedTuple):
    """A checkpoint: the number of entries, the root hash in hex, and the text."""

    size: int
    root: str
    note: str


def add_checkpoint(
    connection: sqlite3.Connection, at: str, run_id: int | None = None
) -> Checkpoint | None:
    """Add a checkpoint of the ledger as it is now; returns None where the newest one says the same.

    Reads the entries since that one only.
    """
    with transaction(connection):
        query = "SELECT size, subtrees FROM checkpoints ORDER BY id DESC LIMIT 1"
        size, subtrees = connection.execute(query).fetchone() or (0, b"")
        hashes = [
            subtrees[start : start + HASH_SIZE] for start in range(0, len(subtrees), HASH_SIZE)
        ]
        tree = GrowingTree(size, hashes)
        entries = connection.execute("SELECT entry FROM ledger WHERE id > ? ORDER BY id", (size,))
        for (entry,) in entries:
            tree.add(leaf_hash(entry_bytes(entry)))
        if tree.size == size:
            return None
        root = tree.root()
        note = checkpoint_text(origin(connection), tree.size, root)
        insert(
            connection, "checkpoints", at=at, run_id=run_id, size=tree.size, root=root.hex(),
            subtrees=b"".join(tree.subtrees), note=note,
        )  # fmt: skip
    return Checkpoint(tree.size, root.hex(), note)


def origin(connection: sqlite3.Connection) -> str:
    """The name of the log of an archive, by the id that it has in common with its copies."""
    query = "SELECT value FROM about WHERE name = 'archive_id'"
    row = connection.execute(query).fetchone()
    return f"archiver/{row[0] if row else 'unknown'}"  # unknown: its row is lost or damaged


def checkpoint_text(name: str, size: int, root: bytes) -> str:
    """The text of a checkpoint: three lines, each with its end."""
    return f"{name}\n{size}\n{b64encode(root).decode()}\n"
