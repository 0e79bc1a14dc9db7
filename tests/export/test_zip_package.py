"""Posts with their media as one ZIP."""

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from archiver.export.heading import ExportHeading
from archiver.export.zip_package import MANIFEST, zip_package
from archiver.media.folder_store import FolderStore
from support.exporting import PICTURE, snapshot_of

HEADING = ExportHeading("archive", "all posts", "2026-03-03T00:00:00.000Z")
MEDIA = "media/2026-03-01_acme_1of2_post-1.jpg"


def packed(directory: Path, *posts: int) -> bytes:
    with snapshot_of(directory, *posts) as snapshot:
        return b"".join(zip_package(snapshot, FolderStore(directory), HEADING, "chosen"))


def unpacked(data: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        package.extractall(folder)
    return folder / "chosen"


def test_it_holds_the_posts_the_media_and_what_is_not_included(
    directory: Path, tmp_path: Path
) -> None:
    folder = unpacked(packed(directory, 1, 2, 3), tmp_path)
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {"posts.csv", "posts.json", "README.txt", MANIFEST, MEDIA}
    assert (folder / MEDIA).read_bytes() == PICTURE
    assert json.loads((folder / "posts.json").read_text("utf-8"))["posts_count"] == 3
    readme = (folder / "README.txt").read_text("utf-8")
    assert "3 posts, 1 media file (1.8 MB), 1 not included" in readme
    assert "media/2026-03-01_acme_2of2_post-1: omitted, copyright" in readme


def test_sha256sum_accepts_the_manifest(directory: Path, tmp_path: Path) -> None:
    folder = unpacked(packed(directory, 1, 2), tmp_path)
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", MANIFEST], cwd=folder, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": OK") == 4


def test_a_file_that_was_damaged_fails_the_check(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path / "archive")
    (stored,) = (tmp_path / "archive" / "media").rglob("*.jpg")
    stored.write_bytes(PICTURE[:-1] + b"!")
    folder = unpacked(packed(tmp_path / "archive", 1), tmp_path)
    lines = [line.split("  ") for line in (folder / MANIFEST).read_text().splitlines()]
    listed = {name: sha256 for sha256, name in lines}
    assert listed[MEDIA] == hashlib.sha256(PICTURE).hexdigest()
    assert listed[MEDIA] != hashlib.sha256((folder / MEDIA).read_bytes()).hexdigest()


def test_a_file_that_was_lost_is_named(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path / "archive")
    shutil.rmtree(tmp_path / "archive" / "media")
    folder = unpacked(packed(tmp_path / "archive", 1), tmp_path)
    assert f"{MEDIA}: lost or damaged here" in (folder / "README.txt").read_text("utf-8")


def test_it_comes_in_pieces_while_it_is_read(directory: Path) -> None:
    with snapshot_of(directory, 1) as snapshot:
        pieces = list(zip_package(snapshot, FolderStore(directory), HEADING, "chosen"))
    assert max(map(len, pieces)) < len(PICTURE) / 4
    assert sum(map(len, pieces)) > len(PICTURE)


@pytest.mark.parametrize("posts", [(), (2,)])
def test_no_post_and_no_media_make_a_sound_package(
    directory: Path, tmp_path: Path, posts: tuple[int, ...]
) -> None:
    assert (unpacked(packed(directory, *posts), tmp_path) / MANIFEST).is_file()
