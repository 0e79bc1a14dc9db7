"""Errors of disks in plain words: folders without a sync, risky file systems, free space."""

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver import disks
from archiver.disks import (
    file_system,
    free_space,
    risky_file_system,
    sync,
    sync_folder,
    write_error,
)

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 {other} / /mnt/other rw - tmpfs tmpfs rw
41 22 {device} / /home rw - autofs systemd-1 rw,fd=52
57 41 {device} /my\\040share /home/me/my\\040share rw,relatime shared:9 master:2 - {kind} nas:/x rw
a line that is none
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.ENOSYS])
def test_a_disk_that_cannot_sync_folders_is_written_to_all_the_same(
    folder: int, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    sync_folder(folder)
    with pytest.raises(OSError):
        sync(folder)


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_sync_of_a_folder_that_fails_is_a_failure(
    folder: int, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError):
        sync_folder(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the call may mean something")
def test_where_a_mac_has_no_full_sync_it_takes_the_lesser_one(
    folder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the system itself refuses the unknown command, as a disk of a network does there."""
    import fcntl

    synced: list[int] = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(os, "fsync", synced.append)
    sync(folder)
    assert synced == [folder]


@pytest.mark.parametrize(
    ("kind", "is_risky"), [("nfs4", True), ("cifs", True), ("vfat", True), ("ext4", False)]
)
def test_the_kind_of_a_disk_is_that_of_what_was_mounted_last(
    tmp_path: Path, kind: str, is_risky: bool
) -> None:
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(device=number, other="0:99999", kind=kind))
    place = tmp_path / "not" / "there yet"
    assert file_system(place, mounts) == kind
    assert risky_file_system(place, mounts) == (kind if is_risky else None)


def test_a_disk_of_an_unknown_kind_gives_no_warning(tmp_path: Path) -> None:
    assert risky_file_system(tmp_path, tmp_path / "none") is None
    (tmp_path / "mountinfo").write_text("")
    assert risky_file_system(tmp_path, tmp_path / "mountinfo") is None


def test_a_writable_disk_has_no_error_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    assert write_error(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    said = write_error(tmp_path / "none")
    assert said is not None
    assert said.errno == errno.ENOENT


@pytest.mark.skipif(not hasattr(os, "statvfs"), reason="this system has no inodes")
def test_what_is_free_is_said(tmp_path: Path) -> None:
    assert "MB are free" in (free_space(tmp_path) or "")
    assert free_space(tmp_path / "none") is None


def test_every_hint_is_for_an_error_that_has_words() -> None:
    assert set(disks._HINTS) <= set(disks._WORDS)
