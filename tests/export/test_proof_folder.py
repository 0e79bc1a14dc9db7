"""Exports of every form prove their posts, with a program that needs nothing but Python."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.cli.export import export_forms
from archiver.errors import StorageError
from archiver.evidence import standalone
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.export.folder import MANIFEST
from archiver.export.selection import ArchiveSelection
from support.damage import raw
from support.exporting import exported

MARCH = ArchiveSelection(since="2026-03-02")
"""Chooses one post, p2: neither the one before nor the one without a time."""
PROVED = ["jsonl", "csv", "eml", "loadfile", "wacz"]


@pytest.fixture(scope="module")
def export(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of all posts, with a picture. Tests that change it make a copy."""
    return exported(directory, tmp_path_factory.mktemp("proved") / "out", "jsonl").folder


@pytest.mark.parametrize("form", PROVED)
def test_every_form_has_proofs_that_hold(directory: Path, tmp_path: Path, form: str) -> None:
    made = exported(directory, tmp_path / "out", form)
    assert list(standalone.check(made.folder)) == []
    assert "python3 proofs/verify.py ." in (made.folder / "README.txt").read_text("utf-8")


def test_a_bag_has_them_among_its_data(directory: Path, tmp_path: Path) -> None:
    made = exported(directory, tmp_path / "out", "bagit")
    assert list(standalone.check(made.folder / "data")) == []


def test_the_program_runs_where_nothing_of_archiver_is(export: Path) -> None:
    command = [sys.executable, "-I", "-S", "-B", "proofs/verify.py", "."]
    done = subprocess.run(command, cwd=export, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("everything is as it was written\n")


def test_the_program_says_what_the_hash_of_the_manifest_is_to_be_compared_with(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For whoever alters a table could alter the manifest as well."""
    assert standalone.main([str(export)]) == 0
    assert f"{standalone.file_hash(export / MANIFEST)}: compare it" in capsys.readouterr().out


@pytest.mark.parametrize("part", ["", "proofs"])
def test_verify_says_of_an_export_what_checks_it(export: Path, part: str) -> None:
    with pytest.raises(StorageError, match="is an export") as refused:
        verify(export / part, Scope(), "2026-11-23T00:00:00.000Z")
    assert "python3 proofs/verify.py ." in (refused.value.hint or "")


def _alter(name: str, folder: Path) -> None:
    path = next(folder.glob(name))
    path.write_bytes(path.read_bytes() + b"!")


def _swap(folder: Path) -> None:
    """Put another picture in place of one, and its hash into the manifest."""
    path = next(folder.glob("media/*/*"))
    before = path.stem
    path.write_bytes(b"other")
    manifest = folder / MANIFEST
    lines = manifest.read_text().replace(f"{before}  ", f"{standalone.file_hash(path)}  ")
    manifest.write_text(lines)


def _edit_row(folder: Path) -> None:
    with raw(folder / "proofs") as connection:
        connection.execute("UPDATE posts SET text = 'We never said so' WHERE id = 1")


def _outside(folder: Path) -> None:
    with (folder / MANIFEST).open("a") as manifest:
        manifest.write(f"{'0' * 64}  ../other\n")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: _alter("posts.jsonl", folder), "posts.jsonl: its bytes do not have"),
        (lambda folder: _alter("media/*/*", folder), "its bytes do not have the hash in manifest"),
        (lambda folder: (folder / "posts.jsonl").unlink(), "posts.jsonl: No such file"),
        (lambda folder: (folder / "more.txt").write_text(""), "more.txt: is not in manifest"),
        (lambda folder: (folder / MANIFEST).unlink(), f"{MANIFEST}: cannot be read"),
        (_swap, "is no file that the rows have"),
        (_edit_row, "posts 1: its columns do not match its hash"),
        (_outside, "../other: is outside of the export"),
    ],
)
def test_what_is_altered_in_an_export_is_named(
    export: Path, tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    altered = shutil.copytree(export, tmp_path / "altered")
    damage(altered)
    assert words in "\n".join(standalone.check(altered))


def test_they_have_nothing_of_other_posts_and_no_answers(directory: Path, tmp_path: Path) -> None:
    folder = exported(directory, tmp_path / "out", "csv", MARCH).folder
    found = b"".join(path.read_bytes() for path in (folder / "proofs").iterdir())
    assert b"HYPERLINK" in found
    assert b"Good evening" not in found
    assert list(standalone.check(folder)) == []
    with raw(exported(directory, tmp_path / "all", "csv").folder / "proofs") as connection:
        for table in ("responses", "quarantine"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_what_is_public_or_of_a_moment_has_no_rows_beside_it(
    directory: Path, tmp_path: Path
) -> None:
    chosen = {
        "html": None, "activitystreams": None, "sqlite": None,
        "jsonl": ArchiveSelection(only_public=True),
        "csv": ArchiveSelection(as_of="2027-01-01T00:00:00.000Z"),
    }  # fmt: skip
    assert export_forms().keys() == {*PROVED, "bagit", *chosen}
    for form, selection in chosen.items():
        folder = exported(directory, tmp_path / form, form, selection).folder
        assert not (folder / "proofs").exists()
        assert "proofs/" not in (folder / "README.txt").read_text("utf-8")


def test_the_manifest_of_custody_says_who_made_the_export(export: Path) -> None:
    said = json.loads((export / "proofs" / "custody.json").read_text("utf-8"))
    assert said["exported"]["posts"] == 3
    assert said["exported"]["by"]
