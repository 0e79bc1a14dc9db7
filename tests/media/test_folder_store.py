"""The folder of media: on the disk before anybody says so, and no link in it is followed."""

import errno
import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver import disks
from archiver.errors import StorageError
from archiver.media import disk, file_system_sync
from archiver.media.download import Download
from archiver.media.folder_store import FolderStore
from archiver.media.store import ByteRange, hash_stream, stored_path
from archiver.testing import StoreContract


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    found = FolderStore(tmp_path)
    found.prepare()
    return found


def download(store: FolderStore, data: bytes, extension: str = "jpg") -> Download:
    path = store.tmp / f"{secrets.token_hex(8)}.part"
    path.write_bytes(data)
    path.chmod(0o600)
    sha256 = hashlib.sha256(data).hexdigest()
    return Download(path, sha256, len(data), "image/jpeg", extension)


def place(store: FolderStore, found: Download) -> Path:
    return store.directory / stored_path(found.sha256, found.extension)


def read(store: FolderStore, found: Download) -> tuple[str, int]:
    with store.open(stored_path(found.sha256, found.extension)) as file:
        return hash_stream(file)


class TestFolderStore(StoreContract):
    """The folder store is a media store."""

    def open_store(self, folder: Path) -> FolderStore:
        folder.mkdir(exist_ok=True)
        store = FolderStore(folder)
        store.prepare()
        return store

    def alter(self, folder: Path, path: str, data: bytes) -> None:
        (folder / path).write_bytes(data)

    def add_foreign(self, folder: Path, path: str) -> None:
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(b"x")


def test_files_are_named_by_their_bytes_and_private(store: FolderStore) -> None:
    files = [download(store, b"one"), download(store, b"two", "mp4"), download(store, b"one")]
    assert store.put(files) == []
    for file in files:
        assert read(store, file) == (file.sha256, file.size)
        assert place(store, file).stat().st_mode & 0o777 == 0o600
        assert place(store, file).parent.stat().st_mode & 0o777 == 0o700
    assert list(store.tmp.iterdir()) == []
    assert {found.sha256 for found in store.list()} == {file.sha256 for file in files}


@pytest.mark.parametrize("damage", [b"onf", b"longer", b""])
def test_a_damaged_file_is_replaced_and_kept_apart(store: FolderStore, damage: bytes) -> None:
    file = download(store, b"one")
    store.put([file])
    place(store, file).write_bytes(damage)
    assert store.put([download(store, b"one")]) == [file.sha256]
    assert place(store, file).read_bytes() == b"one"
    place(store, file).write_bytes(damage)
    assert store.put([download(store, b"one")]) == [file.sha256]
    kept = sorted((store.directory / "quarantine").iterdir())
    assert [path.read_bytes() for path in kept] == [damage, damage]


def test_a_link_in_place_of_a_file_is_not_followed(store: FolderStore, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"one")
    file = download(store, b"one")
    place(store, file).parent.mkdir()
    place(store, file).symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic link"):
        read(store, file)
    store.put([file])
    assert not place(store, file).is_symlink()
    assert elsewhere.read_bytes() == b"one"


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    (tmp_path / "media").symlink_to(tmp_path / "else")
    with pytest.raises(StorageError, match="symbolic link"):
        FolderStore(tmp_path).prepare()


def test_the_whole_archive_may_be_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "large disk").mkdir()
    (tmp_path / "archive").symlink_to(tmp_path / "large disk")
    store = FolderStore(tmp_path / "archive")
    store.prepare()
    file = download(store, b"one")
    store.put([file])
    assert place(store, file).read_bytes() == b"one"


@pytest.mark.parametrize("what", ["media", "media/ab"])
def test_a_folder_in_the_store_that_is_a_link_is_not_followed(
    store: FolderStore, tmp_path: Path, what: str
) -> None:
    elsewhere = tmp_path / "elsewhere" if what == "media/ab" else tmp_path / "elsewhere" / "ab"
    elsewhere.mkdir(parents=True)
    sha256 = "ab" * 32
    (elsewhere / f"{sha256}.jpg").write_bytes(b"secret")
    if what == "media":
        store.directory.joinpath("media").rmdir()
    (tmp_path / what).symlink_to(tmp_path / "elsewhere")
    path = stored_path(sha256, "jpg")
    with pytest.raises(OSError, match="symbolic link"):
        store.open(path)
    with pytest.raises(OSError, match="symbolic link"):
        store.open(path, ByteRange(0, 1))
    assert store.stat(path) is None
    for change in (store.quarantine, store.delete):
        with pytest.raises(StorageError, match="symbolic link"):
            change(path)
    assert (elsewhere / f"{sha256}.jpg").read_bytes() == b"secret"


@pytest.mark.parametrize(
    "make",
    [
        Path.mkdir,
        lambda path: path.symlink_to("/etc/passwd"),
        pytest.param(
            getattr(os, "mkfifo", None),
            marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here"),
        ),
    ],
)
def test_what_is_no_plain_file_is_not_opened_or_waited_for(
    store: FolderStore, make: Callable[[Path], None]
) -> None:
    path = stored_path("ab" * 32, "jpg")
    (store.directory / path).parent.mkdir()
    make(store.directory / path)
    assert store.stat(path) is None
    assert [file.sha256 for file in store.list()] == [None]
    with pytest.raises(OSError):
        store.open(path)


def test_leftovers_are_removed_at_the_start(store: FolderStore, tmp_path: Path) -> None:
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
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    files = [download(store, bytes([number])) for number in range(20)]
    store.put(files)
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


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file system is one that can be synced by one call."""
    monkeypatch.setattr(file_system_sync, "_is_supported", lambda _: True)
    monkeypatch.setattr(file_system_sync, "waiting_bytes", lambda: 0)


def test_many_files_are_synced_by_one_call_before_their_names_and_by_one_after(
    at_once: None, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    monkeypatch.setattr(file_system_sync, "_syncfs", lambda _: calls.note("sync all", store.tmp))
    files = [download(store, bytes([number])) for number in range(100)]
    store.put(files)
    (first, last) = [at for at, (what, _) in enumerate(calls.log) if what == "sync all"]
    renamed = [calls.index("rename", place(store, file)) for file in files]
    assert first < min(renamed)
    assert last > max(renamed)
    synced = {path for what, path in calls.log if what == "sync"}
    assert synced == {store.directory / "media"}  # names of new folders


def test_a_file_that_was_there_is_synced_by_itself(
    at_once: None, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of its bytes may have been reported to another program."""
    known = download(store, b"\x05")
    store.put([known])
    calls = Calls(monkeypatch)
    monkeypatch.setattr(file_system_sync, "_syncfs", lambda _: calls.note("sync all", store.tmp))
    store.put([download(store, bytes([number])) for number in range(100)])
    assert ("sync", place(store, known)) in calls.log


@pytest.mark.parametrize("nth", [0, 1])
def test_where_the_call_fails_each_file_is_synced(
    at_once: None, store: FolderStore, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    calls = Calls(monkeypatch)
    answers = iter([errno.EIO] if nth == 0 else [0, errno.EIO])

    def syncfs(_: int) -> None:
        calls.note("sync all", store.tmp)
        if number := next(answers, 0):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(file_system_sync, "_syncfs", syncfs)
    files = [download(store, bytes([number])) for number in range(100)]
    store.put(files)
    for file in files:
        target = place(store, file)
        renamed = calls.index("rename", target)
        assert (("sync", file.path) in calls.log[:renamed]) == (nth == 0)
        assert ("sync", target.parent) in calls.log[renamed:]
    assert [what for what, _ in calls.log].count("sync all") == nth + 1


def test_a_file_that_was_there_is_synced_too(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted run may have left it without ever syncing it or its name."""
    file = download(store, b"one")
    store.put([file])
    calls = Calls(monkeypatch)
    store.put([download(store, b"one")])
    assert ("sync", place(store, file)) in calls.log
    assert ("sync", place(store, file).parent) in calls.log


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("what", ["sync", "rename"])
def test_a_failure_is_a_failure_and_the_next_run_completes_it(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, number: int, what: str
) -> None:
    calls = Calls(monkeypatch)
    codes = []
    for nth in range(100):
        countdown = iter(range(nth, -1000, -1))
        calls.fail = lambda kind, _, left=countdown: (  # type: ignore[misc]  # a default binds
            number if kind == what and next(left) == 0 else 0
        )
        names = [f"{nth} {index}".encode() for index in range(3)]
        try:
            store.put([download(store, name) for name in names])
        except StorageError as error:
            codes.append(error.code)
        else:
            break
        calls.fail = lambda kind, path: 0
        store.prepare()
        again = [download(store, name) for name in names]
        store.put(again)
        assert all(read(store, file)[0] == file.sha256 for file in again)
    assert len(codes) >= 3
    assert set(codes) == {"full" if number in {errno.ENOSPC, errno.EDQUOT} else "storage"}


def test_a_read_only_archive_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match="read-only"):
        FolderStore(tmp_path).prepare()
