"""Which files and folders other users of the machine may change."""

import os
from pathlib import Path

import pytest

from archiver.ownership import changeable_by_others, open_to_others

pytestmark = pytest.mark.skipif(os.name != "posix", reason="asks for POSIX modes")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    path = folder / "archive.toml"
    path.touch(mode=0o600)
    return path


def test_a_private_file_in_a_private_folder_is_safe(file: Path) -> None:
    assert open_to_others([file, file.parent]) is None
    assert changeable_by_others(file) is None


@pytest.mark.parametrize("mode", [0o602, 0o666, 0o606])
def test_a_file_that_all_may_write_is_named(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert open_to_others([file.parent, file]) == file
    assert changeable_by_others(file) == file


def test_a_file_that_all_may_read_and_a_group_may_write_is_safe(file: Path) -> None:
    file.chmod(0o664)
    assert changeable_by_others(file) is None


def test_a_folder_where_all_may_replace_the_file_is_named(file: Path) -> None:
    file.parent.chmod(0o777)
    assert open_to_others([file, file.parent]) == file.parent
    assert changeable_by_others(file) == file.parent


def test_a_folder_where_only_owners_may_replace_is_safe(file: Path) -> None:
    file.parent.chmod(0o1777)
    assert open_to_others([file.parent]) is None
    assert changeable_by_others(file) is None


def test_behind_a_link_the_folder_of_the_link_counts_too(file: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    link = shared / "archive.toml"
    link.symlink_to(file)
    assert changeable_by_others(link) == shared


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_a_file_of_another_user_is_named(file: Path) -> None:
    os.chown(file, 12345, -1)
    assert changeable_by_others(file) == file


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        changeable_by_others(tmp_path / "none")
