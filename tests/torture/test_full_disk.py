"""A disk that is really full: a small one, and a limit on the size of files."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from support.nights import Nights, nights

resource = pytest.importorskip("resource", reason="limits and mounts of POSIX")

SIZES = ("size=40k", "size=400k")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Nights]:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(25)
        world.settings["archive"] = 'reserve = "0B"'  # or no file would fill it
        world.url_life *= 10_000  # its clock stands still, the program's does not
        world.config()
        yield world


@pytest.fixture(params=SIZES)
def small_disk(request: pytest.FixtureRequest, world: Nights) -> Iterator[Path]:
    """A disk of so many KiB, or of other options, where the archive belongs."""
    world.directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", request.param, "tmpfs", str(world.directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield world.directory
    finally:
        subprocess.run(["umount", "--lazy", world.directory], check=True)


def run(world: Nights, *command: str, largest: int | None = None) -> tuple[int, str]:
    """Exit code and stderr of a command. `largest` limits files, in bytes."""

    def limit() -> None:
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    done = subprocess.run(
        [sys.executable, "-m", "archiver", *command], cwd=world.folder, text=True,
        capture_output=True, check=False, preexec_fn=limit,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    return done.returncode, done.stderr


def test_on_a_full_disk_it_says_so_and_goes_on_when_there_is_room(
    world: Nights, small_disk: Path
) -> None:
    code, stderr = run(world, "backup")

    assert (code, "full" in stderr or "no space" in stderr.lower()) == (6, True), stderr
    assert "Traceback" not in stderr
    code, stderr = run(world, "verify")
    assert code == 0 or (code == 6 and world.directory.exists()), stderr

    with suppress(subprocess.CalledProcessError):
        subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    assert run(world, "backup", "--now") == (0, "")
    assert world.column("SELECT DISTINCT state FROM renditions") == ["stored"]
    assert run(world, "verify")[0] == 0


@pytest.mark.parametrize("small_disk", ["size=16m"], indirect=True)
def test_on_a_read_only_disk_a_backup_ends_before_anybody_is_asked(
    world: Nights, small_disk: Path
) -> None:
    assert run(world, "backup") == (0, "")
    world.clear_logs()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    code, stderr = run(world, "backup", "--now")

    assert (code, "read-only" in " ".join(stderr.lower().split())) == (6, True), stderr
    assert (world.api_requests, world.media_requests) == ([], [])
    assert run(world, "verify")[0] == 0


def fill(disk: Path) -> None:
    """Write until nothing more goes onto it."""
    with (disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("small_disk", ["size=8m"], indirect=True)
def test_what_is_on_a_full_disk_can_be_read_and_copied_elsewhere(
    world: Nights, small_disk: Path
) -> None:
    assert run(world, "backup") == (0, "")
    fill(small_disk)

    assert run(world, "status")[0] == 0
    code, stderr = run(world, "verify")
    assert code == 0, stderr
    assert run(world, "copy", "-q", "elsewhere") == (0, "")
    code, stderr = run(world, "backup", "--now")
    assert (code, "disk is full" in " ".join(stderr.split())) == (6, True), stderr
    assert "0.00 MB are free" in stderr

    (small_disk / "ballast").unlink()
    assert run(world, "backup", "--now") == (0, "")
    assert run(world, "verify")[0] == 0
    assert run(world, "verify", "elsewhere") == (0, "")


@pytest.mark.parametrize("small_disk", ["size=8m,nr_inodes=20"], indirect=True)
def test_a_disk_that_takes_no_more_files_says_so_and_the_next_run_goes_on(
    world: Nights, small_disk: Path
) -> None:
    code, stderr = run(world, "backup")

    assert (code, "no inodes left" in " ".join(stderr.split())) == (6, True), stderr
    subprocess.run(["mount", "-o", "remount,nr_inodes=1000", small_disk], check=True)
    assert run(world, "backup", "--now") == (0, "")
    assert world.column("SELECT DISTINCT state FROM renditions") == ["stored"]
    assert run(world, "verify")[0] == 0


@pytest.mark.parametrize("largest", [4 << 10, 100 << 10])
def test_a_limit_on_the_size_of_files_is_a_matter_of_the_disk(world: Nights, largest: int) -> None:
    code, stderr = run(world, "backup", largest=largest)

    assert code == 6, stderr
    assert "as large as" in " ".join(stderr.split())
    assert "Traceback" not in stderr
    assert run(world, "backup", "--now") == (0, "")
    assert run(world, "verify")[0] == 0
