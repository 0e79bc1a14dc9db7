"""A verifier in another language, made from the written format, agrees with ours on archives."""

import json
import random
import shutil
import sqlite3
import subprocess
import zlib
from contextlib import closing, suppress
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE
from archiver.evidence.standalone import MANIFEST, check
from support.damage import flip
from support.erasing import Erasing
from support.exporting import exported
from support.forging import forge, rehash, settle, without_triggers
from support.gazette import gazette
from support.sealed import SealedArchive, make_sealed
from support.time_stamping import Authority

PROGRAM = Path(__file__).with_name("second_verifier.mjs")
FLIPPED = [
    ("ledger", "entry"), ("ledger_rows", "commitments"), ("ledger_rows", "salts"),
    ("checkpoints", "note"), ("checkpoints", "subtrees"), ("signing_keys", "note"),
    ("signing_keys", "public_key"), ("about", "value"), ("about", "row_sha256"),
]  # fmt: skip
"""Where a bit is flipped: what the ledger covers, and the hash of a row itself."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("node") and shutil.which("sqlite3")), reason="needs Node and sqlite3"
    ),
]


def other_finds(archive: Path, kept: tuple[Path, ...] = ()) -> str:
    """What the second verifier finds wrong; nothing where all is as it was written."""
    command = ["node", str(PROGRAM), str(archive), *map(str, kept)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == bool(done.stdout), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> SealedArchive:
    return make_sealed(tmp_path_factory.mktemp("original") / "here", 2)


def test_both_find_a_whole_archive_of_three_platforms_as_it_was_written(good_archive: Path) -> None:
    assert other_finds(good_archive) == ""
    assert list(check(good_archive)) == []


def test_both_find_a_signed_archive_as_it_was_written(original: SealedArchive) -> None:
    kept = tuple(sorted((original.folder / "copies").iterdir()))
    assert other_finds(original.directory, kept) == ""
    assert list(check(original.directory, [*map(str, kept)])) == []


@pytest.mark.parametrize("seed", range(10))
def test_both_find_whatever_is_tampered_with(
    original: SealedArchive, tmp_path: Path, seed: int
) -> None:
    """In each archive of ten, in one place: with the other tests, on more than a hundred.

    By somebody who makes the hashes of rows fit, where they can.
    """
    for number, place in enumerate([*FLIPPED, None]):
        where = random.Random(f"{seed} {number}")
        archive = Path(shutil.copytree(original.directory, tmp_path / str(number)))
        with closing(sqlite3.connect(archive / DATABASE, isolation_level=None)) as connection:
            connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
            without_triggers(connection)
            if place is None:
                hide_a_row(connection, where)
            else:
                flip_somewhere(connection, *place, where)
        assert other_finds(archive), place
        assert list(check(archive)), place


def flip_somewhere(
    connection: sqlite3.Connection, table: str, column: str, where: random.Random
) -> None:
    """Flip a bit of a column in any row, and make the hashes of the table fit."""
    key = "name" if table == "about" else "id"
    found = connection.execute(f"SELECT {key}, CAST({column} AS BLOB) FROM {table}").fetchall()
    row, data = where.choice(found)
    new = flip(data, where.randrange(8 * len(data)))
    kind = "BLOB" if column in {"commitments", "salts", "subtrees"} else "TEXT"
    connection.execute(
        f"UPDATE {table} SET {column} = CAST(? AS {kind}) WHERE {key} = ?", (new, row)
    )
    if key == "id":
        with suppress(UnicodeEncodeError):  # no text: it has no hash that would fit
            rehash(connection, table)


def hide_a_row(connection: sqlite3.Connection, where: random.Random) -> None:
    """Delete a row, and hide its commitment, as an erasure or an extract would."""
    query = "SELECT id, keys, salts FROM ledger_rows WHERE table_name = 'about' AND before IS NULL"
    part, packed, salts = where.choice(connection.execute(query).fetchall())
    keys = json.loads(zlib.decompress(packed))
    hidden = where.randrange(len(keys))
    connection.execute("DELETE FROM about WHERE name = ?", (keys[hidden],))
    settle(connection, "about")
    keys[hidden] = None
    salts = salts[: 16 * hidden] + bytes(16) + salts[16 * hidden + 16 :]
    connection.execute(
        "UPDATE ledger_rows SET keys = ?, salts = ? WHERE id = ?",
        (zlib.compress(json.dumps(keys).encode()), salts, part),
    )
    rehash(connection, "ledger_rows")


def test_both_find_a_commitment_that_is_hidden_though_nothing_was_erased(
    original: SealedArchive, tmp_path: Path
) -> None:
    """And both believe a whole archive of which posts were erased, but not more than was."""
    archive = Path(shutil.copytree(original.directory, tmp_path / "here"))
    with closing(sqlite3.connect(archive / DATABASE, isolation_level=None)) as connection:
        without_triggers(connection)
        hide_a_row(connection, random.Random(1))
    assert "1 commitments are hidden, and this is no extract" in other_finds(archive)
    assert list(check(archive)) == [
        "commitments of the ledger are hidden, though this is no extract"
    ]
    archive = erased(tmp_path / "erased")
    assert other_finds(archive) == ""
    assert list(check(archive)) == []
    with closing(sqlite3.connect(archive / DATABASE, isolation_level=None)) as connection:
        without_triggers(connection)
        (text,) = connection.execute("SELECT blanked FROM erasures").fetchone()
        forge(connection, "erasures", "TRUE", blanked=json.dumps(json.loads(text)[1:]))
    assert "hidden" in other_finds(archive)
    assert "hidden" in "".join(check(archive))


def erased(folder: Path) -> Path:
    """An archive of which a post was erased."""
    folder.mkdir()
    with gazette(folder) as world:
        for text in ("The bakery opens at six", "Agent Kowalski lives behind the mill"):
            world.publish(text, pictures=1)
        world.backup("kiosk")
        Erasing(world, folder / "archive").erase(2)
    return folder / "archive"


def test_both_find_that_an_archive_was_rolled_back(tmp_path: Path) -> None:
    sealed = make_sealed(tmp_path / "here", 1)
    with sealed.put_back_afterwards():
        sealed.night()
    kept = tuple(sorted((sealed.folder / "copies").iterdir()))
    assert "entries, there are" in other_finds(sealed.directory, kept)
    assert "entries, and the ledger has" in "".join(check(sealed.directory, [*map(str, kept)]))


def test_both_check_time_stamps_by_openssl(tmp_path: Path) -> None:
    sealed, authority = make_sealed(tmp_path / "here", 1), Authority(tmp_path / "authority")
    token = sealed.stamp(authority)
    other = Authority(tmp_path / "other")
    for root, is_right in ((authority.root, True), (other.root, False)):
        assert (other_finds(sealed.directory, (root,)) == "") is is_right
        assert (list(check(sealed.directory, [str(root)])) == []) is is_right
    with closing(sqlite3.connect(sealed.directory / DATABASE, isolation_level=None)) as connection:
        without_triggers(connection)
        damaged = flip(token, 8 * len(token) - 80)
        connection.execute("UPDATE time_stamps SET token = ?", (damaged,))
    assert "time stamp 1" in other_finds(sealed.directory, (authority.root,))
    assert "time stamp 1" in "".join(check(sealed.directory, [str(authority.root)]))


def test_both_check_an_export_by_its_proofs(good_archive: Path, tmp_path: Path) -> None:
    folder = exported(good_archive, tmp_path / "out", "csv").folder
    assert other_finds(folder) == ""
    assert list(check(folder)) == []
    for name, text in (("more.txt", "!"), ("posts.csv", "other"), (MANIFEST, None)):
        altered = Path(shutil.copytree(folder, tmp_path / "altered"))
        (altered / name).write_text(text) if text else (altered / name).unlink()
        assert other_finds(altered), name
        assert list(check(altered)), name
        shutil.rmtree(altered)
