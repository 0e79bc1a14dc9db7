"""A folder that an export is written into."""

import hashlib
import os
import shutil
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from archiver.errors import StorageError, UsageError
from archiver.export import folder as export_folder_module
from archiver.export.folder import MANIFEST, UNFINISHED, ExportFolder, export_folder
from archiver.export.heading import ExportHeading
from archiver.media.folder_store import FolderStore
from archiver.saved_posts import SavedFile
from support.exporting import PICTURE, snapshot_of

HEADING = ExportHeading("archive", "all accounts", "2026-11-23T00:00:00Z")


def picture(directory: Path) -> SavedFile:
    with snapshot_of(directory, 1) as snapshot:
        (post,) = snapshot.posts()
    assert post.attachments[0].main is not None
    return post.attachments[0].main


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_it_gets_its_name_when_it_is_complete(directory: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    with export_folder(target, FolderStore(directory), HEADING) as folder:
        folder.write("a.txt", [b"one", b"two"])
        assert folder.add_media("media/x.jpg", picture(directory))
        folder.finish()
        assert list(folder.missing()) == []
        assert not target.exists()
    assert names(target) == ["a.txt", MANIFEST, "media", "media/x.jpg"]
    digests = [hashlib.sha256(data).hexdigest() for data in (b"onetwo", PICTURE)]
    assert (target / MANIFEST).read_text() == f"{digests[0]}  a.txt\n{digests[1]}  media/x.jpg\n"
    assert (folder.files, folder.size, folder.not_included) == (1, len(PICTURE), 0)


def interrupted(directory: Path, target: Path) -> None:
    with (
        suppress(KeyboardInterrupt),
        export_folder(target, FolderStore(directory), HEADING) as folder,
    ):
        folder.write("old/a.txt", [b"old"])
        folder.add_media("media/x.jpg", picture(directory))
        raise KeyboardInterrupt


def test_what_was_interrupted_is_continued(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    interrupted(directory, target)
    assert not target.exists()
    monkeypatch.setattr(ExportFolder, "_copy", lambda *_: pytest.fail("it is there already"))
    with export_folder(target, FolderStore(directory), HEADING) as folder:
        assert folder.add_media("media/x.jpg", picture(directory))
        folder.write("a.txt", [b"new"])
        folder.finish()
    assert names(target) == ["a.txt", MANIFEST, "media", "media/x.jpg"]
    assert names(tmp_path) == [*["out"], *(f"out/{name}" for name in names(target))]


def test_a_file_that_was_left_with_other_bytes_is_copied_again(
    directory: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    interrupted(directory, target)
    (tmp_path / f"out{UNFINISHED}" / "media" / "x.jpg").write_bytes(b"!" * len(PICTURE))
    with export_folder(target, FolderStore(directory), HEADING) as folder:
        folder.add_media("media/x.jpg", picture(directory))
    assert (target / "media" / "x.jpg").read_bytes() == PICTURE


@pytest.mark.parametrize("damage", ["another byte", "shorter", "gone"])
def test_a_damaged_file_is_not_included_and_named(
    directory: Path, tmp_path: Path, damage: str
) -> None:
    archive = shutil.copytree(directory, tmp_path / "archive")
    (stored,) = (archive / "media").rglob("*.jpg")
    stored.write_bytes({"another byte": PICTURE[:-1] + b"!"}.get(damage, PICTURE[:9]))
    if damage == "gone":
        stored.unlink()
    with export_folder(tmp_path / "out", FolderStore(archive), HEADING) as folder:
        assert not folder.add_media("media/x.jpg", picture(directory))
        assert list(folder.missing()) == ["media/x.jpg: lost or damaged here: see archiver verify"]
        folder.finish()
    assert names(tmp_path / "out") == [MANIFEST]
    assert (folder.damaged, folder.not_included) == (1, 1)


@pytest.mark.parametrize("can_clone", [True, False])
def test_a_file_is_cloned_where_the_disk_can_do_that(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_clone: bool
) -> None:
    def clone(source: int, target: int) -> bool:
        if can_clone:
            os.write(target, os.pread(source, len(PICTURE), 0))
        return can_clone

    monkeypatch.setattr(export_folder_module, "clone", clone)
    with export_folder(tmp_path / "out", FolderStore(directory), HEADING) as folder:
        assert folder.add_media("media/x.jpg", picture(directory))
    assert (tmp_path / "out" / "media" / "x.jpg").read_bytes() == PICTURE


def test_memory_does_not_grow_with_the_number_of_files(directory: Path, tmp_path: Path) -> None:
    file = picture(directory)

    def peak(count: int) -> int:
        tracemalloc.start()
        with export_folder(tmp_path / str(count), FolderStore(directory), HEADING) as folder:
            for number in range(count):
                folder.write(f"posts/{number:0100}.txt", [b"a"])
                folder.note_missing(f"{number:0200}: gone")
            folder.add_media("media/x.jpg", file)
            folder.finish()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1)  # what is imported and cached once
    assert peak(1_000) < 1.1 * peak(100)


def test_a_folder_that_is_there_is_not_touched(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with (
        pytest.raises(UsageError, match="exists already"),
        export_folder(tmp_path / "out", FolderStore(directory), HEADING),
    ):
        pytest.fail("it was opened")
    assert names(tmp_path) == ["out", "out/mine.txt"]


def test_an_empty_folder_is_filled(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with export_folder(tmp_path / "out", FolderStore(directory), HEADING) as folder:
        folder.write("a.txt", [b"a"])
    assert names(tmp_path / "out") == ["a.txt"]


def test_a_link_in_place_of_the_unfinished_folder_is_refused(
    directory: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"out{UNFINISHED}").symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(StorageError),
        export_folder(tmp_path / "out", FolderStore(directory), HEADING),
    ):
        pytest.fail("it was opened")
