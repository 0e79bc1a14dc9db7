"""Checkpoints: the whole ledger in one hash, computed from what came since the one before."""

import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.archive.checkpoints import add_checkpoint
from archiver.archive.database import writer
from archiver.archive.merkle import GrowingTree, leaf_hash
from archiver.archive.rows import insert

NOW = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with writer(tmp_path / "archive") as connection:
        yield connection


def whole_tree(connection: sqlite3.Connection) -> GrowingTree:
    tree = GrowingTree()
    for (entry,) in connection.execute("SELECT entry FROM ledger ORDER BY id"):
        tree.add(leaf_hash(entry.encode()))
    return tree


def test_each_checkpoint_is_of_all_entries_until_then(connection: sqlite3.Connection) -> None:
    for number in range(9):
        insert(connection, "about", name=f"colour {number}", value="red")
        checkpoint = add_checkpoint(connection, NOW)
        tree = whole_tree(connection)
        assert checkpoint is not None
        assert (checkpoint.size, checkpoint.root) == (tree.size, tree.root().hex())


def test_a_ledger_that_has_not_grown_gets_no_second_checkpoint(
    connection: sqlite3.Connection,
) -> None:
    assert add_checkpoint(connection, NOW) is not None
    assert add_checkpoint(connection, NOW) is None
    assert connection.execute("SELECT count(*) FROM checkpoints").fetchone() == (1,)


def test_its_text_names_the_archive_the_size_and_the_root(connection: sqlite3.Connection) -> None:
    checkpoint = add_checkpoint(connection, NOW)
    assert checkpoint is not None
    (archive_id,) = connection.execute("SELECT value FROM about").fetchone()
    name, size, root, end = checkpoint.note.split("\n")
    assert (name, size, end) == (f"archiver/{archive_id}", str(checkpoint.size), "")
    assert b64decode(root).hex() == checkpoint.root


@pytest.mark.parametrize("change", ["UPDATE checkpoints SET at = ''", "DELETE FROM checkpoints"])
def test_it_is_never_changed(connection: sqlite3.Connection, change: str) -> None:
    add_checkpoint(connection, NOW)
    with pytest.raises(sqlite3.IntegrityError, match="checkpoints are never"):
        connection.execute(change)
