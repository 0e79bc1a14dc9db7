"""Files and folders of an archive are private, and are never reached through a link."""

import errno
import os
import stat
from pathlib import Path

import pytest

from archiver.media import disk
from archiver.media.disk import (
    create_file,
    is_link,
    make_directories,
    make_directory,
    open_file,
    refuse_link,
    storage_error,
    sync_file,
)


def open_descriptors() -> int:
    """How many files this process has open; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_new_files_and_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    os.close(create_file(tmp_path / "file"))
    assert mode_of(tmp_path / "file") == 0o600
    assert make_directory(tmp_path / "folder")
    assert mode_of(tmp_path / "folder") == 0o700


def test_a_file_that_is_there_is_not_opened_as_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "file")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="File exists"):
        create_file(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_a_plain_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"bytes")
    descriptor = open_file(tmp_path / "file")
    try:
        assert os.read(descriptor, 10) == b"bytes"
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "none"])
def test_anything_else_is_refused_and_never_waited_for(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / kind
    if kind == "link":
        path.symlink_to(tmp_path / "file")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    before = open_descriptors()
    with pytest.raises(OSError):
        open_file(path)
    assert open_descriptors() == before


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    assert make_directory(tmp_path / "a")
    assert not make_directory(tmp_path / "a")


@pytest.mark.parametrize("kind", ["file", "link"])
def test_something_else_under_the_name_of_a_folder_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "media"
    if kind == "file":
        path.touch()
    else:
        (tmp_path / "elsewhere").mkdir()
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        make_directory(path)


def test_each_parent_is_synced_once_and_only_for_new_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(disk, "sync_directory", synced.append)
    (tmp_path / "ab").mkdir()
    made = make_directories([tmp_path / "cd", tmp_path / "ab", tmp_path / "ef"])
    assert made == [tmp_path / "cd", tmp_path / "ef"]
    assert synced == [tmp_path]
    make_directories([tmp_path / "ab"])
    assert synced == [tmp_path]


def test_a_sync_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    sync_file(tmp_path / "file")

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(disk, "sync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        sync_file(tmp_path / "file")


def test_symbolic_links_are_recognized_and_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert is_link(os.lstat(tmp_path / "link"))
    assert not is_link(os.lstat(tmp_path / "file"))
    refuse_link(tmp_path / "file")
    with pytest.raises(OSError, match="symbolic link"):
        refuse_link(tmp_path / "link")
    with pytest.raises(FileNotFoundError):
        refuse_link(tmp_path / "none")


def test_an_error_of_the_system_is_said_in_plain_words(tmp_path: Path) -> None:
    error = storage_error(PermissionError(errno.EACCES, "Permission denied"), "store media in x")
    assert error.what == "Cannot store media in x"
    assert error.why == "This user is not allowed to"
    assert error.code == "storage"
    full = storage_error(OSError(errno.ENOSPC, "full", str(tmp_path / "a")), "write into x")
    assert full.code == "full"
    assert "MB are free on it" in (full.why or "")
    assert "Free some space" in (full.hint or "")
