"""A smaller archive: opened by everything that opens an archive, and proved by the whole ledger."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive.checkpoints import add_checkpoint
from archiver.archive.database import reader, writer
from archiver.archive.extracts import read_extract_note
from archiver.archive.rows import insert
from archiver.archive.tombstones import SALT
from archiver.archive.transactions import transaction
from archiver.errors import StorageError, UsageError
from archiver.evidence import standalone
from archiver.evidence.copy import copy_archive
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.export.selection import ArchiveSelection
from support.damage import raw
from support.exporting import exported
from support.sealed import SealedArchive

NOW = "2026-11-23T00:00:00.000Z"
MARCH = ArchiveSelection(since="2026-03-02")
"""Chooses one post, p2: neither the one before nor the one without a time."""


@pytest.fixture(scope="module")
def extract(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An extract with one post of three. Tests that change it make a copy."""
    folder = tmp_path_factory.mktemp("extract")
    archive = shutil.copytree(directory, folder / "archive")
    with writer(archive) as connection:
        add_checkpoint(connection, NOW)
    return exported(archive, folder / "out", "sqlite", MARCH).folder


def test_an_extract_is_intact_and_says_what_it_proves(extract: Path) -> None:
    result = verify(extract, Scope(), NOW)
    assert result.damage == []
    (note, hidden) = [one for one in result.findings if one.what == "extract"]
    assert "from 2026-03-02" in note.detail
    assert "commitments are to rows that are not in this extract" in hidden.detail
    assert list(standalone.check(extract)) == []


def test_it_brings_the_program_that_checks_it_with_nothing_but_python(extract: Path) -> None:
    command = [sys.executable, "-I", "-S", "verify.py", "."]
    done = subprocess.run(command, cwd=extract, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("everything is as it was written\n")


def test_an_extract_of_a_signed_archive_has_its_signatures_and_keys(
    directory: Path, tmp_path: Path
) -> None:
    sealed = SealedArchive(tmp_path / "here")
    sealed.folder.mkdir()
    shutil.copytree(directory, sealed.directory)
    assert sealed.night().problem is None
    out = exported(sealed.directory, tmp_path / "out", "sqlite", MARCH).folder
    with closing(sqlite3.connect(out / "archive.db")) as part:
        assert part.execute("SELECT count(*) FROM signing_keys").fetchone() == (1,)
        (note,) = part.execute("SELECT note FROM checkpoints ORDER BY id DESC").fetchone()
    assert "\u2014" in note
    kept = [str(path) for path in (sealed.folder / "copies").iterdir()]
    assert list(standalone.check(out, kept)) == []
    assert verify(out, Scope(), NOW).damage == []


def test_nothing_of_other_posts_is_in_any_of_its_files(directory: Path, extract: Path) -> None:
    found = b"".join(path.read_bytes() for path in extract.rglob("*") if path.is_file())
    with closing(sqlite3.connect(directory / "archive.db")) as whole:
        hashes = whole.execute("SELECT row_sha256 FROM posts WHERE platform_id <> 'p2'").fetchall()
    assert b"HYPERLINK" in found
    for secret in (b"Good evening", b"Good morning", b"An answer", b"a picture"):
        assert secret not in found
    for (digest,) in hashes:
        assert bytes.fromhex(digest) not in found
    with closing(sqlite3.connect(extract / "archive.db")) as part:  # random salts may have b"p3"
        assert not any("p3" in line for line in part.iterdump() if "X'" not in line)


def test_its_rows_are_those_of_the_archive(directory: Path, extract: Path) -> None:
    with reader(directory) as whole, reader(extract) as part:
        for table in ("posts", "revisions", "post_sources", "events", "accounts"):
            of_archive = set(whole.execute(f"SELECT * FROM {table}"))
            of_extract = part.execute(f"SELECT * FROM {table}").fetchall()
            assert of_extract
            assert set(of_extract) <= of_archive
        assert (
            part.execute("SELECT text FROM posts").fetchall()
            == whole.execute("SELECT text FROM posts WHERE platform_id = 'p2'").fetchall()
        )
        assert part.execute(
            "SELECT count(*) FROM posts_fts WHERE posts_fts MATCH 'evil'"
        ).fetchone() == (1,)


def test_an_extract_of_everything_has_all_files_and_no_hidden_row(
    directory: Path, tmp_path: Path
) -> None:
    made = exported(directory, tmp_path / "out", "sqlite")
    assert (made.posts, made.files) == (3, 1)
    result = verify(made.folder, Scope(), NOW)
    assert (result.damage, result.files) == ([], 1)


def test_a_row_that_is_altered_or_removed_is_found(extract: Path, tmp_path: Path) -> None:
    altered = shutil.copytree(extract, tmp_path / "altered")
    with raw(altered) as connection:
        connection.execute("DELETE FROM events")
    assert any(one.what == "ledger" for one in verify(altered, Scope(), NOW).damage)
    assert any("is missing" in sentence for sentence in standalone.check(altered))


def test_a_whole_archive_that_hides_commitments_is_damaged(extract: Path, tmp_path: Path) -> None:
    altered = shutil.copytree(extract, tmp_path / "altered")
    with raw(altered) as connection:
        connection.execute("DELETE FROM about WHERE name = 'extract'")
    details = [one.detail for one in verify(altered, Scope(), NOW).damage]
    assert any("hidden, in a whole archive" in detail for detail in details)
    assert any("no extract" in sentence for sentence in standalone.check(altered))


def test_an_extract_is_never_written_to_and_no_copy_takes_its_place(
    directory: Path, extract: Path, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match="is an extract of an archive"), writer(extract):
        pass
    target = shutil.copytree(extract, tmp_path / "extract")
    with pytest.raises(UsageError, match="holds an extract"):
        copy_archive(directory, target)


def test_an_extract_of_an_extract_says_both_choices(extract: Path, tmp_path: Path) -> None:
    again = exported(extract, tmp_path / "again", "sqlite", replace(MARCH, words="evil")).folder
    assert verify(again, Scope(), NOW).damage == []
    with reader(again) as connection:
        note = read_extract_note(connection)
    assert note is not None
    assert "with “evil”; of an extract of all accounts, from 2026-03-02" in note.chosen


def test_an_extract_lacks_the_key_of_tombstones(directory: Path, tmp_path: Path) -> None:
    archive = shutil.copytree(directory, tmp_path / "archive")
    with writer(archive) as connection, transaction(connection):
        insert(connection, "about", name=SALT, value="00" * 32)
    found = exported(archive, tmp_path / "out", "sqlite", MARCH).folder
    with reader(found) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM about")}
    assert SALT not in names
