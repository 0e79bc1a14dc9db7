"""Each kind of tampering is named, also after the file was rebuilt: nobody is told only "wrong"."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, writer
from archiver.evidence.signed_heads import signed_heads
from archiver.evidence.signing_keys import SigningKey, load_key
from support.forging import forge, rebuild, rehash, without_triggers
from support.sealed import SealedArchive, make_sealed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sealed(tmp_path_factory.mktemp("original") / "here").folder


@pytest.fixture
def sealed(original: Path, tmp_path: Path) -> SealedArchive:
    return SealedArchive(Path(shutil.copytree(original, tmp_path / "here")))


def edit_a_row(connection: sqlite3.Connection, _: SealedArchive) -> None:
    forge(connection, "about", "name = 'colour 1'", value="blue")


def edit_a_row_and_its_entry(connection: sqlite3.Connection, _: SealedArchive) -> None:
    """With the commitment to it, and all entries since chained anew."""
    forge(connection, "about", "name = 'colour 1'", value="blue")
    alter_the_ledger(connection)


def alter_the_ledger(connection: sqlite3.Connection) -> None:
    rebuild(connection, lambda entry: entry.replace('"at":"2', '"at":"1'))
    rehash(connection, "ledger")


def rebuild_the_ledger(connection: sqlite3.Connection, _: SealedArchive) -> None:
    """And every checkpoint, without signatures."""
    alter_the_ledger(connection)
    make_checkpoints_anew(connection, lambda log, text: text)


def rebuild_it_with_the_stolen_key(connection: sqlite3.Connection, sealed: SealedArchive) -> None:
    key = load_key(sealed.config())
    assert key is not None
    stolen = key
    alter_the_ledger(connection)
    make_checkpoints_anew(connection, lambda log, text: f"{text}\n{stolen.sign(log, text)}")


def sign_with_another_key(connection: sqlite3.Connection, _: SealedArchive) -> None:
    other = SigningKey(bytes(32), _PUBLIC_OF_ZEROS)
    make_checkpoints_anew(connection, lambda log, text: f"{text}\n{other.sign(log, text)}")


_PUBLIC_OF_ZEROS = bytes.fromhex("3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29")


def make_checkpoints_anew(connection: sqlite3.Connection, note: Callable[[str, str], str]) -> None:
    """Roots and texts that fit the ledger as it is now; `note` signs a text."""
    from archiver.archive.checkpoints import checkpoint_text, origin
    from archiver.archive.merkle import GrowingTree, leaf_hash

    log = origin(connection)
    rows = connection.execute("SELECT id, size FROM checkpoints ORDER BY id").fetchall()
    for row_id, size in rows:
        tree = GrowingTree()
        query = "SELECT entry FROM ledger WHERE id <= ? ORDER BY id"
        for (entry,) in connection.execute(query, (size,)):
            tree.add(leaf_hash(entry.encode()))
        text = checkpoint_text(log, size, tree.root())
        connection.execute(
            "UPDATE checkpoints SET root = ?, subtrees = ?, note = ? WHERE id = ?",
            (tree.root().hex(), b"".join(tree.subtrees), note(log, text), row_id),
        )
    rehash(connection, "checkpoints")


def cut_the_end(connection: sqlite3.Connection, _: SealedArchive) -> None:
    (newest,) = connection.execute("SELECT max(id) FROM ledger").fetchone()
    connection.execute("DELETE FROM ledger_rows WHERE entry_id = ?", (newest,))
    connection.execute("DELETE FROM ledger WHERE id = ?", (newest,))
    rehash(connection, "ledger")
    rehash(connection, "ledger_rows")


def cut_the_end_with_its_checkpoint(connection: sqlite3.Connection, sealed: SealedArchive) -> None:
    cut_the_end(connection, sealed)
    connection.execute("DELETE FROM checkpoints WHERE size > (SELECT max(id) FROM ledger)")
    rehash(connection, "checkpoints")


Tampering = Callable[[sqlite3.Connection, SealedArchive], None]

TAMPERING: dict[Tampering, set[str]] = {
    edit_a_row: {"ledger"},
    edit_a_row_and_its_entry: {"ledger", "rebuilt"},
    rebuild_the_ledger: {"rebuilt"},
    rebuild_it_with_the_stolen_key: {"rebuilt"},
    sign_with_another_key: {"foreign_key"},
    cut_the_end: {"ledger", "rolled_back"},
    cut_the_end_with_its_checkpoint: {"ledger", "rolled_back"},
}


@pytest.mark.parametrize("tampering", TAMPERING, ids=lambda each: each.__name__)
@pytest.mark.parametrize("then", ["", "VACUUM", "upgrade"])
def test_it_is_named(sealed: SealedArchive, tampering: Tampering, then: str) -> None:
    with closing(sqlite3.connect(sealed.directory / DATABASE, isolation_level=None)) as connection:
        triggers = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")
        kept = [sql for (sql,) in triggers if "fts" not in sql]
        without_triggers(connection)
        tampering(connection, sealed)
        for sql in kept:
            connection.execute(sql)
        if then == "VACUUM":
            connection.execute("VACUUM")
        if then == "upgrade":  # the last step, which makes a table anew, is still to be made
            connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm030_emoji'")
    if then == "upgrade":
        with writer(sealed.directory) as connection:
            query = "SELECT 1 FROM _sqlite_migrations WHERE name = 'm030_emoji'"
            assert connection.execute(query).fetchone()
    assert sealed.kinds() == TAMPERING[tampering]
    in_slices = (sealed.findings(part, 3) for part in (1, 2, 3))
    assert {found.what for found in chain(*in_slices)} == TAMPERING[tampering]


def test_an_archive_that_was_rolled_back_is_named_by_all_who_know(sealed: SealedArchive) -> None:
    with sealed.put_back_afterwards():
        sealed.night()
    found = sealed.findings()
    assert {finding.what for finding in found} == {"rolled_back"}
    path = signed_heads(sealed.config()).path
    assert {finding.subject.rpartition("/")[0] for finding in found} == {
        str(path.parent), str(sealed.folder / "copies"),
    }  # fmt: skip


def test_another_key_in_the_place_of_the_own_is_named(sealed: SealedArchive) -> None:
    other = make_sealed(sealed.folder / "other", 1)
    name = "archive.signing-key"
    shutil.copy(other.folder / name, sealed.folder / name)
    assert sealed.kinds() == {"foreign_key"}


def test_a_copy_whose_checkpoint_was_signed_by_another_is_named(sealed: SealedArchive) -> None:
    path = next((sealed.folder / "copies").iterdir())
    text = path.read_text("utf-8").partition("\n\n")[0] + "\n"
    log = text.partition("\n")[0]
    other = SigningKey(bytes(32), _PUBLIC_OF_ZEROS)
    path.write_text(f"{text}\n{other.sign(log, text)}", "utf-8")
    assert sealed.kinds() == {"foreign_key"}
