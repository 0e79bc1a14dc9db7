"""An export from the archive to a finished folder, in every form."""

import shutil
import subprocess
from pathlib import Path

import pytest

from archiver.cli.export import FORMS, export_forms
from archiver.errors import UsageError
from archiver.export.folder import MANIFEST
from archiver.export.selection import ArchiveSelection
from support.exporting import PICTURE, exported


def test_the_command_line_knows_every_form() -> None:
    assert set(FORMS) == set(export_forms())


@pytest.mark.parametrize("form", [form for form in FORMS if form != "bagit"])
def test_sha256sum_accepts_every_file_of_an_export(
    directory: Path, tmp_path: Path, form: str
) -> None:
    made = exported(directory, tmp_path / "out", form)
    files = [path for path in made.folder.rglob("*") if path.is_file()]
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", MANIFEST], cwd=made.folder, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.count(": OK") == len(files) - 1
    assert (made.posts, made.files, made.size, made.damaged) == (3, 1, len(PICTURE), 0)
    assert "3 posts, 1 media file (1.8 MB)" in (made.folder / "README.txt").read_text("utf-8")


def test_an_empty_selection_writes_nothing(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no posts of all accounts, with “nowhere”"):
        exported(directory, tmp_path / "out", "jsonl", ArchiveSelection(words="nowhere"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", [form for form in FORMS if form != "bagit"])
def test_a_damaged_file_is_named_and_all_else_is_there(
    directory: Path, tmp_path: Path, form: str
) -> None:
    archive = shutil.copytree(directory, tmp_path / "archive")
    (stored,) = (archive / "media").rglob("*.jpg")
    stored.write_bytes(PICTURE[:-1] + b"!")
    made = exported(archive, tmp_path / "out", form)
    assert (made.posts, made.files, made.damaged) == (3, 0, 1)
    assert "damaged" in (made.folder / "README.txt").read_text("utf-8")
