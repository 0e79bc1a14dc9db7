"""One sync for a whole file system: only where it is as safe as one for each file, and quicker."""

import errno
import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from archiver.media import file_system_sync
from archiver.media.file_system_sync import FileSystemSync, waiting_bytes

MEMORY = """\
MemTotal:       25000000 kB
Dirty:          {dirty} kB
Writeback:      {written} kB
WritebackTmp:   7777777 kB
"""


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change what the system says of itself; at first, all of it is good."""

    def system(
        *, kind: str | None = "ext4", release: str = "6.1.0-13-amd64", waiting: int | None = 0,
        platform: str = "linux",
    ) -> None:  # fmt: skip
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release=release), raising=False)
        monkeypatch.setattr(file_system_sync, "file_system", lambda _: kind)
        monkeypatch.setattr(file_system_sync, "waiting_bytes", lambda: waiting)

    system()
    return system


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The descriptors of file systems that were synced."""
    found: list[int] = []
    monkeypatch.setattr(file_system_sync, "_syncfs", found.append)
    yield found
    gc.collect()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has this call")
def test_the_call_is_there_and_syncs(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    file_system_sync._syncfs(descriptor)
    os.close(descriptor)
    with pytest.raises(OSError) as caught:
        file_system_sync._syncfs(descriptor)
    assert caught.value.errno == errno.EBADF


@pytest.mark.usefixtures("says")
def test_the_file_system_of_the_folder_is_synced(tmp_path: Path, synced: list[int]) -> None:
    found = FileSystemSync(tmp_path)
    assert found.is_quicker(100, 1_000)
    assert found.sync()
    assert len(synced) == 1
    assert os.path.samestat(os.fstat(synced[0]), tmp_path.stat())


def test_the_folder_stays_open_as_long_as_it_is_needed(
    tmp_path: Path, says: Callable[..., None], synced: list[int]
) -> None:
    """Errors of writes are reported to whom had it open when they came."""
    found = FileSystemSync(tmp_path)
    gc.collect()
    assert found.sync()
    del found
    gc.collect()
    with pytest.raises(OSError):
        os.fstat(synced[0])


@pytest.mark.parametrize(
    ("system", "is_supported"),
    [
        ({}, True),
        ({"kind": "xfs"}, True),
        ({"kind": "fuseblk"}, False),  # may answer without having done anything
        ({"kind": "nfs4"}, False),
        ({"kind": None}, False),
        ({"release": "5.8.0"}, True),
        ({"release": "5.7.19"}, False),  # reports no errors
        ({"release": "unknown"}, False),
        ({"platform": "darwin"}, False),
    ],
)
@pytest.mark.usefixtures("synced")
def test_it_is_used_where_it_reports_errors(
    tmp_path: Path, says: Callable[..., None], system: dict[str, str | None], is_supported: bool
) -> None:
    says(**system)
    found = FileSystemSync(tmp_path)
    assert (found.is_quicker(100, 1_000), found.sync()) == (is_supported, is_supported)


@pytest.mark.parametrize(
    ("files", "size", "waiting", "is_quicker"),
    [
        (63, 1_000_000, 0, False),
        (64, 1_000_000, 0, True),
        (64, 1_000_000, (32 << 20) + 2_000_000, True),
        (64, 1_000_000, (32 << 20) + 2_000_001, False),  # others are writing
        (64, 1_000_000, None, False),
    ],
)
def test_it_is_used_for_many_files_while_others_do_not_write(
    tmp_path: Path, says: Callable[..., None], files: int, size: int, waiting: int | None,
    is_quicker: bool,
) -> None:  # fmt: skip
    says(waiting=waiting)
    assert FileSystemSync(tmp_path).is_quicker(files, size) == is_quicker


@pytest.mark.usefixtures("says")
def test_after_an_error_it_is_used_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([OSError(errno.EIO, "broken")])

    def syncfs(_: int) -> None:
        if error := next(answers, None):
            raise error

    monkeypatch.setattr(file_system_sync, "_syncfs", syncfs)
    found = FileSystemSync(tmp_path)
    assert not found.sync()
    assert not found.sync()
    assert not found.is_quicker(100, 1_000)


def test_bytes_that_wait_are_those_of_all_disks(tmp_path: Path) -> None:
    memory = tmp_path / "meminfo"
    memory.write_text(MEMORY.format(dirty=300, written=20))
    assert waiting_bytes(memory) == 320 * 1024


@pytest.mark.parametrize("text", ["", "MemTotal: 1 kB\n", "Dirty:    many kB\n", "Dirty: é kB\n"])
def test_a_system_that_does_not_tell_what_waits(tmp_path: Path, text: str) -> None:
    memory = tmp_path / "meminfo"
    memory.write_text(text, "utf-8")
    assert waiting_bytes(memory) is None
    assert waiting_bytes(tmp_path / "none") is None
