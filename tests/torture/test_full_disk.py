"""A disk that is really full: a small one, and a limit on the size of files."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from nights import Nights, nights

SIZES_KB = (40, 400)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Nights]:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(25)
        world.url_life *= 10_000  # its clock stands still, the program's does not
        world.config()
        yield world


@pytest.fixture(params=SIZES_KB)
def small_disk(request: pytest.FixtureRequest, world: Nights) -> Iterator[Path]:
    """A disk of so many KiB, where the archive belongs."""
    world.directory.mkdir()
    command = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        f"size={request.param}k",
        "tmpfs",
        str(world.directory),
    ]
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


@pytest.mark.parametrize("largest", [4 << 10, 100 << 10])
def test_a_limit_on_the_size_of_files_is_a_matter_of_the_disk(world: Nights, largest: int) -> None:
    code, stderr = run(world, "backup", largest=largest)

    assert code == 6, stderr
    assert "Error: " in stderr
    assert "Traceback" not in stderr
    assert run(world, "backup", "--now") == (0, "")
    assert run(world, "verify")[0] == 0
