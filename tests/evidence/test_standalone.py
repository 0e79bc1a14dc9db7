"""The program that checks an archive alone agrees with this one, on sound archives and others."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.archive.database import writer
from archiver.archive.rows import insert
from archiver.cli import main
from archiver.evidence.files import Scope
from archiver.evidence.standalone import check, token_problem
from archiver.evidence.time_tokens import check_token, trusted_roots
from archiver.evidence.verify import verify
from archiver.models import time_text
from archiver.net.proxy import Route
from support.damage import flip_every_row, raw
from support.sealed import make_sealed
from support.time_stamping import Authority

NOW = "2026-11-23T00:00:00.000Z"


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
