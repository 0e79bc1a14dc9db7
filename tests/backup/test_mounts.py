"""An archive whose disk is not mounted is missed, and not begun anew in the folder below."""

import errno
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, writer
from archiver.backup.mounts import mount_point, remember_disk, require_disk, state_file
from archiver.errors import StorageError
from support.nights import Nights, nights

pytestmark = pytest.mark.slow


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return state_file()


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder of another disk than the one of the tests."""
    memory = Path("/dev/shm")
    if not os.path.ismount(memory) or not os.access(memory, os.W_OK):
        pytest.skip("there is no other disk here to write to")
    with tempfile.TemporaryDirectory(prefix="archiver-", dir=memory) as folder:
        yield Path(folder)


@pytest.fixture
def on_other_disk(other_disk: Path) -> Path:
    """An archive on that disk, as far as it matters here."""
    (other_disk / DATABASE).touch()
    return other_disk


def run(world: Nights, *command: str) -> tuple[int, str]:
    """Exit code and stderr of a command, as one line."""
    done = subprocess.run(
        [sys.executable, "-m", "archiver", *command], cwd=world.folder, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode, " ".join(done.stderr.split())


def test_a_run_on_a_disk_that_is_not_mounted_writes_nothing(
    tmp_path: Path, state: Path, other_disk: Path
) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").publish("Good morning")
        world.url_life *= 10_000  # its clock stands still, the program's does not
        world.config()
        world.directory.symlink_to(other_disk)
        assert run(world, "backup", "-q") == (0, "")

        world.directory.unlink()
        world.directory.mkdir()
        code, stderr = run(world, "backup", "--now")

        assert code == 6, stderr
        assert f"The disk of the archive in {world.directory} is not mounted" in stderr
        assert str(mount_point(other_disk)) in stderr
        assert list(world.directory.iterdir()) == []

        line = next(line for line in state.read_text().splitlines() if "threads" not in line)
        state.write_text(state.read_text().replace(f"{line}\n", ""))
        assert run(world, "backup", "--now", "-q") == (0, "")
        assert (world.directory / DATABASE).exists()


def test_a_run_that_fails_remembers_the_disk_all_the_same(
    tmp_path: Path, state: Path, other_disk: Path
) -> None:
    with nights(tmp_path, "threads") as world:
        world.config()
        world.directory.symlink_to(other_disk)
        with writer(other_disk):
            code, stderr = run(world, "backup")
        assert code == 6, stderr
        assert str(world.directory) in state.read_text()


def test_an_archive_that_was_deleted_on_purpose_is_made_again(
    state: Path, on_other_disk: Path
) -> None:
    remember_disk(on_other_disk)
    assert state.read_text().count("\n") == 1
    (on_other_disk / DATABASE).unlink()
    require_disk(on_other_disk)


def test_where_no_archive_was_begun_there_is_nothing_to_remember(
    state: Path, other_disk: Path
) -> None:
    remember_disk(other_disk)
    assert not state.exists()


def test_a_disk_that_is_always_there_needs_no_note(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == Path("/"))
    (tmp_path / DATABASE).touch()
    remember_disk(tmp_path)
    assert not state.exists()


def test_a_link_that_leads_to_itself_is_no_mounted_disk(tmp_path: Path, state: Path) -> None:
    archive = tmp_path / "archive"
    archive.symlink_to(archive)
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"archive": str(archive), "disk": "/mnt/disk"}))
    with pytest.raises(StorageError, match="not mounted"):
        require_disk(archive)


def test_an_archive_that_moved_to_such_a_disk_is_forgotten(
    state: Path, on_other_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_disk(on_other_disk)
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == Path("/"))
    require_disk(on_other_disk)
    remember_disk(on_other_disk)
    assert state.read_text() == ""


def test_the_note_is_private_and_nothing_is_left_beside_it(
    state: Path, on_other_disk: Path
) -> None:
    remember_disk(on_other_disk)
    assert state.stat().st_mode & 0o777 == 0o600
    assert list(state.parent.iterdir()) == [state]


@pytest.mark.parametrize(
    "text",
    ["", "\n", "{", "[]\n1\nnull\n", '{"archive": 1}\n', '{"disk": {}, "archive": []}\n', "\x00",
     "[" * 100_000],
)  # fmt: skip
def test_rubbish_in_the_note_is_no_trouble(state: Path, on_other_disk: Path, text: str) -> None:
    state.parent.mkdir(parents=True)
    state.write_text(text)
    (on_other_disk / DATABASE).unlink()
    require_disk(on_other_disk)
    (on_other_disk / DATABASE).touch()
    remember_disk(on_other_disk)
    assert str(on_other_disk) in state.read_text()


@pytest.mark.parametrize("place", ["file", "nowhere", "bytes"])
def test_a_note_that_cannot_be_kept_is_no_trouble(
    tmp_path: Path, on_other_disk: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / place))
    if place == "nowhere":
        monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/state")
    if place == "bytes":
        state_file().parent.mkdir(parents=True)
        state_file().write_bytes(b"\xff\xfe")
    require_disk(on_other_disk)
    remember_disk(on_other_disk)


def test_a_relative_state_folder_is_ignored(tmp_path: Path) -> None:
    found = state_file({"XDG_STATE_HOME": "here"})
    assert found == Path.home() / ".local" / "state" / "archiver" / "disks"


def test_files_without_their_database_are_not_taken_for_a_new_archive(tmp_path: Path) -> None:
    folder = tmp_path / "media" / "ab"
    folder.mkdir(parents=True)
    with writer(tmp_path):
        pass
    (tmp_path / DATABASE).unlink()
    with writer(tmp_path):  # a first run that was killed leaves empty folders
        pass

    (folder / f"{'ab' * 32}.jpg").touch()
    (tmp_path / DATABASE).unlink()
    with pytest.raises(StorageError, match=f"{DATABASE} is missing") as raised, writer(tmp_path):
        pass
    assert raised.value.code == "database_missing"
    assert not (tmp_path / DATABASE).exists()


def test_a_dry_run_does_not_take_them_for_a_new_archive_either(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        folder = world.directory / "media" / "ab"
        folder.mkdir(parents=True)
        (folder / f"{'ab' * 32}.jpg").touch()
        with pytest.raises(StorageError, match=f"{DATABASE} is missing"):
            world.backup(dry_run=True)


def test_a_missing_network_disk_is_reported_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> Iterator[Path]:
        raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))

    monkeypatch.setattr(Path, "glob", gone)
    with pytest.raises(StorageError, match="endpoint is not connected"), writer(tmp_path):
        pass
