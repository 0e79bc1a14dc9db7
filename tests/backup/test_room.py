"""A run stops fetching files before the disk is full, keeps all, and the next one goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from archiver.backup import room as module
from archiver.backup.room import Room
from archiver_ayrshare.demo.specs import photo
from support.nights import Nights, nights

FILES = 6


class Disk(NamedTuple):
    """What `shutil.disk_usage` gives, in bytes."""

    total: int
    used: int
    free: int


class SmallDisk:
    """A disk that is full but for the reserve, once so many files were asked for."""

    def __init__(self, world: Nights, files: int) -> None:
        self.world = world
        self.files = files

    def __call__(self, _directory: Path) -> Disk:
        is_short = len(self.world.media_requests) >= self.files
        return Disk(10**12, 0, 10**6 if is_short else 10**11)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Nights]:
    with nights(tmp_path, "threads", "bluesky") as world:
        world.settings["media"] = "connections = 1"
        for number in range(FILES):
            world.account("threads").publish(f"Number {number}", media=[photo()])
        for number in range(2):
            world.account("bluesky").publish(f"Words {number}")
        yield world


@pytest.mark.parametrize("files", [0, 2, FILES - 1])
def test_the_rest_of_the_files_waits_and_all_posts_are_saved(
    world: Nights, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    monkeypatch.setattr(module, "disk_usage", SmallDisk(world, files))
    report = world.backup()
    assert (report.exit_code, report.out_of_room) == (3, True)
    assert report.counts.stored == files
    assert report.counts.failed == 0
    assert world.column("SELECT count(*) FROM posts") == [FILES + 2]
    states = world.column("SELECT state FROM renditions")
    assert (states.count("stored"), states.count("pending")) == (files, FILES - files)
    monkeypatch.undo()
    report = world.backup(now=True)
    assert (report.exit_code, report.out_of_room, report.waiting) == (0, False, 0)


def test_a_file_that_is_larger_than_the_room_is_left_in_the_midst_of_it(
    world: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.backup.media_fetcher._LOOK_EVERY", 1)
    monkeypatch.setattr(module, "disk_usage", SmallDisk(world, 1))
    report = world.backup()
    assert (report.exit_code, report.counts.stored, report.counts.failed) == (3, 0, 0)
    assert list((world.directory / "tmp").iterdir()) == []
    assert report.waiting == FILES


@pytest.mark.parametrize(
    ("total", "free", "left"),
    [(10**12, 600, 100), (10**12, 400, -100), (1000, 60, 10), (1000, 40, -10)],
)
def test_the_reserve_of_a_small_disk_is_a_twentieth(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, total: int, free: int, left: int
) -> None:
    monkeypatch.setattr(module, "disk_usage", lambda _: Disk(total, 0, free))
    room = Room(tmp_path, 500)
    assert (room.left(), room.is_short) == (left, left <= 0)


def test_without_a_reserve_files_are_fetched_until_the_disk_is_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "disk_usage", lambda _: Disk(1000, 1000, 0))
    assert not Room(tmp_path, 0).is_short


def test_a_folder_that_is_not_there_yet_has_the_room_of_the_one_above_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def usage(folder: Path) -> Disk:
        if not folder.exists():
            raise FileNotFoundError
        return Disk(10**6, 0, 600)

    monkeypatch.setattr(module, "disk_usage", usage)
    assert Room(tmp_path / "not" / "there", 500).left() == 100


def test_a_system_that_does_not_say_has_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(_: Path) -> Disk:
        raise OSError

    monkeypatch.setattr(module, "disk_usage", fails)
    assert not Room(tmp_path, 500).is_short
