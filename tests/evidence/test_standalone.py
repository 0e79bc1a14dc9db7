"""The program that checks an archive alone agrees with this one, on sound archives and others."""

import random
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.archive.checkpoints import add_checkpoint
from archiver.archive.database import DATABASE, writer
from archiver.archive.rows import insert, update
from archiver.cli import main
from archiver.evidence import standalone
from archiver.evidence.files import Scope
from archiver.evidence.standalone import PROOFS, check, check_database, token_problem
from archiver.evidence.time_tokens import check_token, trusted_roots
from archiver.evidence.verify import verify
from archiver.export.selection import ArchiveSelection
from archiver.models import time_text
from archiver.net.proxy import Route
from support.damage import flip, flip_every_row, raw
from support.exporting import exported, make_archive
from support.flipping import flip_a_bit
from support.forging import rehash, without_triggers
from support.sealed import make_sealed
from support.time_stamping import Authority

pytestmark = pytest.mark.slow

NOW = "2026-11-23T00:00:00.000Z"


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of one post of three, with the ledger of all. What a test changes, it restores."""
    folder = tmp_path_factory.mktemp("export")
    archive = make_archive(folder)
    with writer(archive) as connection:
        add_checkpoint(connection, NOW)
    return exported(archive, folder / "out", "csv", ArchiveSelection(since="2026-03-02")).folder


@pytest.fixture(scope="module")
def databases(export: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """That of a signed archive, and the one in the proofs of an export."""
    sealed = make_sealed(tmp_path_factory.mktemp("sealed") / "here")
    with writer(sealed.directory) as connection:
        update(connection, "about", "name = 'colour 1'", (), value="blue")
    sealed.night()
    return {"archive": sealed.directory / DATABASE, "export": export / PROOFS / DATABASE}


def test_it_runs_with_nothing_but_python(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "check.py"
    with pytest.raises(SystemExit) as ended:
        main(["verify", "--write-program", str(program)])
    assert ended.value.code in {0, None}
    assert str(program) in capsys.readouterr().err
    command = [sys.executable, "-I", "-S", str(program)]
    sound = subprocess.run([*command, str(archive)], capture_output=True, text=True, check=True)
    assert sound.stdout == (
        "time stamps that were not checked, without roots: 1\neverything is as it was written\n"
    )
    usage = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert usage.returncode == 2
    assert "ARCHIVE" in usage.stderr


@pytest.mark.parametrize("seed", range(2))
def test_both_name_the_same_rows_where_a_bit_of_every_row_was_flipped(
    archive: Path, seed: int
) -> None:
    """A flipped key of the ledger's own tables moves a row, so these are left out."""
    with raw(archive) as connection:
        done = flip_every_row(connection, random.Random(seed), keys=False)
    ours = {str(row) for row in verify(archive, Scope(seconds=0), NOW).bad_rows}
    found = {sentence.partition(": its columns")[0] for sentence in check(archive)
             if ": its columns" in sentence}  # fmt: skip
    by_id = {name for name in ours if not name.startswith(("run_accounts", "storage_totals"))}
    assert sum(map(len, done.values())) > 200
    assert by_id <= found


def test_it_finds_a_row_that_was_deleted_and_a_commitment_that_was_altered(archive: Path) -> None:
    with raw(archive) as connection:
        (event,) = connection.execute("SELECT max(id) FROM events").fetchone()
        connection.execute("DELETE FROM events WHERE id = ?", (event,))
        connection.execute("UPDATE ledger_rows SET commitments = zeroblob(32) WHERE id = 1")
    found = "\n".join(check(archive))
    assert f"events {event}: is missing" in found
    assert "entry 1: its commitments are not those that it names" in found


@pytest.mark.parametrize("which", ["archive", "export"])
@settings(max_examples=50)
@given(data=st.data())
def test_any_single_changed_bit_is_found_also_by_whoever_made_the_hashes_of_rows_fit(
    databases: dict[str, Path], which: str, data: st.DataObject
) -> None:
    with (
        closing(sqlite3.connect(databases[which])) as source,
        closing(sqlite3.connect(":memory:", isolation_level=None)) as database,
    ):
        source.backup(database)
        database.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        without_triggers(database)
        table, means_something = flip_a_bit(database, data)
        with suppress(UnicodeEncodeError):  # no text: it has no hash that would fit
            rehash(database, table)
        assert list(check_database(database, [], [])) or not means_something


@settings(max_examples=50)
@given(data=st.data())
def test_any_single_changed_bit_of_any_file_of_an_export_is_found(
    export: Path, data: st.DataObject
) -> None:
    files = sorted(path for path in export.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    whole = path.read_bytes()
    path.write_bytes(flip(whole, data.draw(st.integers(0, 8 * len(whole) - 1))))
    try:
        assert list(check(export))
    finally:
        path.write_bytes(whole)


def test_what_is_left_of_a_hidden_row_is_found(databases: dict[str, Path], tmp_path: Path) -> None:
    """Its key is null: whoever hides it from the program could leave its salt, to guess at it."""
    copy = tmp_path / DATABASE
    copy.write_bytes(databases["export"].read_bytes())
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        without_triggers(connection)
        row, salts = connection.execute(
            "SELECT id, salts FROM ledger_rows WHERE substr(salts, 1, 16) = zeroblob(16)"
        ).fetchone()
        salts = bytes([1]) + salts[1:]
        connection.execute("UPDATE ledger_rows SET salts = ? WHERE id = ?", (salts, row))
        rehash(connection, "ledger_rows")
    assert "but not its salt" in "".join(check(tmp_path))
    found = verify(tmp_path, Scope(seconds=0), NOW).findings
    assert [each.what for each in found if "cannot be read" in each.detail] == ["ledger"]


@pytest.mark.parametrize("data", [b"no database", b"SQLite format 3\0" + bytes(4096)])
def test_a_database_that_cannot_be_read_is_said_in_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / DATABASE).write_bytes(data)
    program = Path(standalone.__file__)
    command = [sys.executable, "-I", "-S", str(program), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "archive.db: cannot be read" in done.stdout
    done = subprocess.run([*command, "missing"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "missing cannot be read" in done.stderr


def test_a_checkpoint_that_was_kept_elsewhere_shows_an_archive_that_was_put_back(
    archive: Path, tmp_path: Path
) -> None:
    with raw(archive) as connection:
        (note,) = connection.execute("SELECT note FROM checkpoints ORDER BY id DESC").fetchone()
    log, size, root = note.split("\n")[:3]
    for text, words in (
        (note, None),
        (f"{log}\n{int(size) + 100}\n{root}\n", "entries, and the ledger has"),
        (f"{log}\n{int(size) - 1}\n{root}\n", "is of another ledger"),
        (f"archiver/other\n{size}\n{root}\n", "is of another archive"),
        ("no checkpoint", "is no checkpoint"),
    ):
        kept = tmp_path / "kept"
        kept.write_text(text, "utf-8")
        found = list(check(archive, [str(kept)]))
        assert (found == []) if words is None else (words in "".join(found)), found


def test_a_file_with_other_bytes_is_named(archive: Path) -> None:
    path = next(path for path in archive.glob("media/*/*") if path.is_file())
    path.write_bytes(b"other bytes")
    (sentence,) = check(archive)
    name = path.relative_to(archive).as_posix()
    assert sentence == f"{name}: its bytes do not have the hash in its name"


def test_time_stamps_are_checked_by_openssl_where_their_roots_are_given(tmp_path: Path) -> None:
    sealed, authority = make_sealed(tmp_path / "here", 2), Authority(tmp_path / "authority")
    with writer(sealed.directory) as connection:
        notes = dict(connection.execute("SELECT id, note FROM checkpoints").fetchall())
        token = authority.token_of(notes[1])
        checked = check_token(token, notes[1], trusted_roots(authority.root, Route()))
        at = time_text(checked.stamped_at)
        altered = token[:-1] + bytes([token[-1] ^ 1])
        for checkpoint, stamped_at, data in (
            (1, at, token), (2, at, token), (1, f"2020{at[4:]}", token), (1, at, altered),
        ):  # fmt: skip
            insert(
                connection, "time_stamps", checkpoint_id=checkpoint, authority="https://tsa",
                received_at=at, stamped_at=stamped_at, token=data, chain=checked.chain,
            )  # fmt: skip
    found = list(check(sealed.directory, [str(authority.root)]))
    assert [each.partition(":")[0] for each in found] == [f"time stamp {id_}" for id_ in (2, 3, 4)]
    assert list(check(sealed.directory)) == []
    other = Authority(tmp_path / "other")
    assert len(list(check(sealed.directory, [str(other.root)]))) == 4


def test_an_expired_chain_holds_at_its_time_for_openssl_too(tmp_path: Path) -> None:
    data = Path(__file__).parents[1] / "data" / "time_stamps"
    for name, kept in (("note", "note.txt"), ("token", "token.tsr"), ("roots.pem", "root.pem")):
        (tmp_path / name).write_bytes((data / kept).read_bytes())
    (tmp_path / "chain.pem").touch()
    stamped_at = check_token(
        (tmp_path / "token").read_bytes(), (tmp_path / "note").read_text("utf-8"),
        trusted_roots(tmp_path / "roots.pem", Route()),
    ).stamped_at  # fmt: skip
    assert token_problem(str(tmp_path), time_text(stamped_at)) is None
