"""Checkpoints: the state of the ledger at the end of a run, in one hash, as text to give away.

The text is that of a tlog-checkpoint (https://c2sp.org/tlog-checkpoint): the name of the log, the
number of its entries and the root hash of the Merkle tree over them. Signatures follow it, as in a
signed note (https://c2sp.org/signed-note).
"""

import sqlite3
from base64 import b64encode
from collections.abc import Callable
from typing import NamedTuple

from archiver.archive.ledger import entry_bytes
from archiver.archive.merkle import HASH_SIZE, GrowingTree, leaf_hash
from archiver.archive.rows import insert
from archiver.archive.transactions import transaction


class Checkpoint(NamedTuple):
    """A checkpoint: the number of entries, the root hash in hex, and the text, which ends a line.

    `note` is the text with the signatures, if it has any.
    """

    size: int
    root: str
    text: str
    note: str


Sign = Callable[[Checkpoint], str]
"""The signed note of a checkpoint that has no signature yet; or its text, where it is not signed.

It is called in the transaction that saves the checkpoint.
"""


def _text_of(checkpoint: Checkpoint) -> str:
    return checkpoint.text


def add_checkpoint(
    connection: sqlite3.Connection, at: str, run_id: int | None = None, sign: Sign = _text_of
) -> Checkpoint | None:
    """Add a checkpoint of the ledger as it is now; returns None where the newest one says the same.

    Reads the entries since that one only.
    """
    with transaction(connection):
        query = "SELECT size, subtrees FROM checkpoints ORDER BY id DESC LIMIT 1"
        size, subtrees = connection.execute(query).fetchone() or (0, b"")
        tree = _tree(size, subtrees)
        _add_entries(connection, tree)
        if tree.size == size:
            return None
        root = tree.root()
        text = checkpoint_text(origin(connection), tree.size, root)
        made = Checkpoint(tree.size, root.hex(), text, text)
        made = made._replace(note=sign(made))
        insert(
            connection, "checkpoints", at=at, run_id=run_id, size=tree.size, root=made.root,
            subtrees=b"".join(tree.subtrees), note=made.note,
        )  # fmt: skip
    return made


def root_at(connection: sqlite3.Connection, size: int) -> str | None:
    """The root over the first `size` entries, in hex; None where the ledger has fewer.

    Checkpoints are believed, and only the entries since the last one before are read.
    """
    query = """
        SELECT size, subtrees FROM checkpoints WHERE size <= ? ORDER BY size DESC, id DESC LIMIT 1
    """
    tree = _tree(*(connection.execute(query, (size,)).fetchone() or (0, b"")))
    _add_entries(connection, tree, size)
    return tree.root().hex() if tree.size == size else None


def _tree(size: int, subtrees: bytes) -> GrowingTree:
    starts = range(0, len(subtrees), HASH_SIZE)
    return GrowingTree(size, [subtrees[start : start + HASH_SIZE] for start in starts])


def _add_entries(connection: sqlite3.Connection, tree: GrowingTree, until: int = 2**63 - 1) -> None:
    """Add to the tree what the ledger has beyond it."""
    query = "SELECT entry FROM ledger WHERE id > ? AND id <= ? ORDER BY id"
    for (entry,) in connection.execute(query, (tree.size, until)):
        tree.add(leaf_hash(entry_bytes(entry)))


def origin(connection: sqlite3.Connection) -> str:
    """The name of the log of an archive, by the id that it has in common with its copies."""
    query = "SELECT value FROM about WHERE name = 'archive_id'"
    row = connection.execute(query).fetchone()
    return f"archiver/{row[0] if row else 'unknown'}"  # unknown: its row is lost or damaged


def checkpoint_text(name: str, size: int, root: bytes) -> str:
    """The text of a checkpoint: three lines, each with its end."""
    return f"{name}\n{size}\n{b64encode(root).decode()}\n"
