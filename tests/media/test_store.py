"""The store: names that do not lie, and bytes that are on the disk before anybody says so."""

import errno
import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver import disks
from archiver.errors import StorageError
from archiver.media import disk
from archiver.media.download import Download
from archiver.media.store import Store, StoredFile, hash_file, relative_path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path)
    found.prepare()
    return found


def download(store: Store, data: bytes, extension: str = "jpg") -> Download:
    path = store.tmp / f"{secrets.token_hex(8)}.part"
    path.write_bytes(data)
    path.chmod(0o600)
    sha256 = hashlib.sha256(data).hexdigest()
    return Download(path, sha256, len(data), "image/jpeg", extension)


def place(store: Store, found: Download) -> Path:
    return store.directory / relative_path(found.sha256, found.extension)


def test_files_are_named_by_their_bytes_and_private(store: Store) -> None:
    files = [download(store, b"one"), download(store, b"two", "mp4"), download(store, b"one")]
    assert store.keep(files) == []
    for file in files:
        assert hash_file(place(store, file)) == (file.sha256, file.size)
        assert place(store, file).stat().st_mode & 0o777 == 0o600
        assert place(store, file).parent.stat().st_mode & 0o777 == 0o700
    assert list(store.tmp.iterdir()) == []
    assert {found.sha256 for found in store.walk()} == {file.sha256 for file in files}


def test_bytes_that_are_there_are_not_stored_twice(store: Store) -> None:
    first = download(store, b"one")
    store.keep([first])
    before = place(store, first).stat()
    store.keep([download(store, b"one")])
    after = place(store, first).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert list(store.tmp.iterdir()) == []


@pytest.mark.parametrize("damage", [b"onf", b"longer", b""])
def test_a_damaged_file_is_healed_and_kept_apart(store: Store, damage: bytes) -> None:
    file = download(store, b"one")
    store.keep([file])
    place(store, file).write_bytes(damage)
    (moved,) = store.keep([download(store, b"one")])
    assert moved.read_bytes() == damage
    assert moved.parent == store.directory / "quarantine"
    assert place(store, file).read_bytes() == b"one"
    place(store, file).write_bytes(damage)
    (again,) = store.keep([download(store, b"one")])
    assert again != moved


def test_a_link_in_place_of_a_file_is_not_followed(store: Store, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"one")
    file = download(store, b"one")
    place(store, file).parent.mkdir()
    place(store, file).symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic link"):
        hash_file(place(store, file))
    store.keep([file])
    assert not place(store, file).is_symlink()
    assert elsewhere.read_bytes() == b"one"


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    (tmp_path / "media").symlink_to(tmp_path / "else")
    with pytest.raises(StorageError, match="symbolic link"):
        Store(tmp_path).prepare()


def test_the_whole_archive_may_be_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "large disk").mkdir()
    (tmp_path / "archive").symlink_to(tmp_path / "large disk")
    store = Store(tmp_path / "archive")
    store.prepare()
    file = download(store, b"one")
    store.keep([file])
    assert place(store, file).read_bytes() == b"one"


def test_leftovers_are_removed_at_the_start(store: Store, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"x")
    (store.tmp / "a.part").write_bytes(b"x")
    (store.tmp / "b.part").symlink_to(precious)
    store.prepare()
    assert list(store.tmp.iterdir()) == []
    assert precious.exists()


class Calls:
    """Writes down renames and syncs in their order, and fails one on demand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log: list[tuple[str, Path]] = []
        self.fail: Callable[[str, Path], int] = lambda what, path: 0
        replace, sync = Path.replace, disks.sync

        def recorded_replace(source: Path, target: Path | str) -> Path:
            self.note("rename", Path(target))
            return replace(source, target)

        def recorded_sync(descriptor: int) -> None:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            self.note("sync", path)
            sync(descriptor)

        monkeypatch.setattr(Path, "replace", recorded_replace)
        for module in (disks, disk):
            monkeypatch.setattr(module, "sync", recorded_sync)

    def note(self, what: str, path: Path) -> None:
        self.log.append((what, path))
        if number := self.fail(what, path):
            raise OSError(number, os.strerror(number))

    def index(self, what: str, path: Path) -> int:
        return self.log.index((what, path))


def test_every_file_is_synced_before_its_name_and_every_name_before_the_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    files = [download(store, bytes([number])) for number in range(20)]
    store.keep(files)
    for file in files:
        target = place(store, file)
        renamed = calls.index("rename", target)
        assert calls.index("sync", file.path) < renamed
        folder_syncs = [
            at for at, entry in enumerate(calls.log) if entry == ("sync", target.parent)
        ]
        assert folder_syncs[-1] > renamed
        assert len(folder_syncs) == 1
    assert ("sync", store.directory / "media") in calls.log


def test_a_file_that_was_there_is_synced_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted run may have left it without ever syncing it or its name."""
    file = download(store, b"one")
    store.keep([file])
    calls = Calls(monkeypatch)
    store.keep([download(store, b"one")])
    assert ("sync", place(store, file)) in calls.log
    assert ("sync", place(store, file).parent) in calls.log


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("what", ["sync", "rename"])
def test_a_failure_is_a_failure_and_a_clean_run_heals_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int, what: str
) -> None:
    calls = Calls(monkeypatch)
    codes = []
    for nth in range(100):
        countdown = iter(range(nth, -1000, -1))
        calls.fail = lambda kind, _, left=countdown: (  # type: ignore[misc]
            number if kind == what and next(left) == 0 else 0
        )
        names = [f"{nth} {index}".encode() for index in range(3)]
        try:
            store.keep([download(store, name) for name in names])
        except StorageError as error:
            codes.append(error.code)
        else:
            break
        calls.fail = lambda kind, path: 0
        store.prepare()
        again = [download(store, name) for name in names]
        store.keep(again)
        assert all(hash_file(place(store, file))[0] == file.sha256 for file in again)
    assert len(codes) >= 3
    assert set(codes) == {"full" if number in {errno.ENOSPC, errno.EDQUOT} else "storage"}


@pytest.mark.parametrize(
    ("sha256", "extension"),
    [("A" * 64, "jpg"), ("a" * 63, "jpg"), ("../" + "a" * 61, "jpg"), ("a" * 64, "../x"),
     ("a" * 64, ""), ("a" * 64, "JPG"), ("a" * 64 + "\n", "jpg"), ("a" * 64, "jpg\n")],
)  # fmt: skip
def test_names_are_hexadecimal_and_nothing_else(sha256: str, extension: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        relative_path(sha256, extension)


def test_paths_in_rows_are_checked(store: Store) -> None:
    good = relative_path("ab" * 32, "jpg")
    assert store.path_of(good) == store.directory / good
    for path in ("media/../archive.db", f"media/ff/{'ab' * 32}.jpg", f"/{good}", good + "\n", ""):
        with pytest.raises(StorageError):
            store.path_of(path)


def test_everything_in_the_folder_is_found(store: Store) -> None:
    file = download(store, b"one")
    store.keep([file])
    folder = place(store, file).parent
    (folder / "stray.txt").write_bytes(b"x")
    (folder / f"{file.sha256}.JPG").write_bytes(b"xy")
    (store.directory / "media" / "notes").write_bytes(b"xyz")
    (folder / "link").symlink_to("/etc")
    found = {item.path.rpartition("/")[2]: item for item in store.walk()}
    assert found["stray.txt"] == StoredFile(f"media/{folder.name}/stray.txt", None)
    assert found[f"{file.sha256}.jpg"].sha256 == file.sha256
    assert found[f"{file.sha256}.JPG"].sha256 is None
    assert found["notes"].sha256 is None
    assert found["link"].sha256 is None


def test_a_damaged_file_can_be_moved_away(store: Store) -> None:
    file = download(store, b"one")
    store.keep([file])
    path = relative_path(file.sha256, "jpg")
    assert store.quarantine(path).read_bytes() == b"one"
    assert not store.path_of(path).exists()
    with pytest.raises(StorageError):
        store.quarantine(path)


def test_a_read_only_archive_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match="read-only"):
        Store(tmp_path).prepare()
