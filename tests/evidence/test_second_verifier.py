"""A verifier in another language, made from the written format, agrees with ours on archives."""

import random
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE
from archiver.evidence.standalone import MANIFEST, check
from support.damage import flip
from support.exporting import exported
from support.forging import without_triggers
from support.sealed import SealedArchive, make_sealed
from support.time_stamping import Authority

PROGRAM = Path(__file__).with_name("second_verifier.mjs")
FLIPPED = [
    ("ledger", "entry"), ("ledger_rows", "commitments"), ("ledger_rows", "salts"),
    ("checkpoints", "note"), ("signing_keys", "note"), ("signing_keys", "public_key"),
    ("about", "value"), ("about", "row_sha256"),
]  # fmt: skip
"""Where a bit is flipped. Nothing else of a row is covered but by its own hash, as of any other."""

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("sqlite3")), reason="needs Node and sqlite3"
)


def other_finds(archive: Path, kept: tuple[Path, ...] = ()) -> str:
    """What the second verifier finds wrong; nothing where all is as it was written."""
    command = ["node", str(PROGRAM), str(archive), *map(str, kept)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == bool(done.stdout), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> SealedArchive:
    return make_sealed(tmp_path_factory.mktemp("original") / "here", 2)


@pytest.mark.slow
def test_both_find_a_whole_archive_of_three_platforms_as_it_was_written(good_archive: Path) -> None:
    assert other_finds(good_archive) == ""
    assert list(check(good_archive)) == []


def test_both_find_a_signed_archive_as_it_was_written(original: SealedArchive) -> None:
    kept = tuple(sorted((original.folder / "copies").iterdir()))
    assert other_finds(original.directory, kept) == ""
    assert list(check(original.directory, [*map(str, kept)])) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_both_find_any_flipped_bit(original: SealedArchive, tmp_path: Path, seed: int) -> None:
    """In each archive of eight, in one place: with the other tests, on a hundred archives."""
    for number, (table, column) in enumerate(FLIPPED):
        where = random.Random(f"{seed} {number}")
        archive = Path(shutil.copytree(original.directory, tmp_path / str(number)))
        with closing(sqlite3.connect(archive / DATABASE, isolation_level=None)) as connection:
            without_triggers(connection)
            query = f"SELECT rowid, CAST({column} AS BLOB) FROM {table}"
            key = "name" if table == "about" else "id"
            found = connection.execute(query.replace("rowid", key)).fetchall()
            row, data = where.choice(found)
            new = flip(data, where.randrange(8 * len(data)))
            kind = "BLOB" if column in {"commitments", "salts"} else "TEXT"
            connection.execute(
                f"UPDATE {table} SET {column} = CAST(? AS {kind}) WHERE {key} = ?", (new, row)
            )
        assert other_finds(archive), (table, column)
        assert list(check(archive)), (table, column)


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


@pytest.mark.slow
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
