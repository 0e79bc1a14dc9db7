"""Which files a package has, and why some are not in it."""

from dataclasses import replace
from pathlib import Path

from archiver.export.package_files import files_of, open_saved
from archiver.media.folder_store import FolderStore
from support.exporting import PICTURE, snapshot_of


def test_each_attachment_has_a_name_and_a_file_or_a_reason(directory: Path) -> None:
    with snapshot_of(directory, 1) as snapshot:
        (post,) = snapshot.posts()
    here, omitted = files_of(post)
    assert here.name == "media/2026-03-01_acme_1of2_post-1.jpg"
    assert (omitted.name, omitted.file) == ("media/2026-03-01_acme_2of2_post-1", None)
    assert (here.why, omitted.why) == ("", "omitted, copyright")
    assert here.file is not None
    stream = open_saved(FolderStore(directory), here.file)
    assert stream is not None
    with stream:
        assert stream.read() == PICTURE


def test_only_a_path_that_its_hash_makes_is_opened(directory: Path) -> None:
    with snapshot_of(directory, 1) as snapshot:
        (post,) = snapshot.posts()
    file = next(files_of(post)).file
    assert file is not None
    for path in ("archive.db", "../archive.db", f"media/aa/{'a' * 64}.jpg", None):
        assert open_saved(FolderStore(directory), replace(file, path=path)) is None
