"""Who holds an archive, as its lock file says; whatever else the file says is ignored."""

import errno
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archiver.archive.lock_owner import LockOwner, lock_owner, write_lock_owner

SINCE = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
OWNER = LockOwner(4711, "nas", SINCE, "archiver backup")


def write(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        write_lock_owner(descriptor)
    finally:
        os.close(descriptor)


def test_what_is_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/archiver", "backup", "--full"])
    before = datetime.now(UTC).replace(microsecond=0)
    write(tmp_path / ".lock")
    found = lock_owner(tmp_path / ".lock")
    assert found is not None
    assert (found.process, found.command) == (os.getpid(), "archiver backup --full")
    assert before <= found.since <= datetime.now(UTC)


def test_a_shorter_line_replaces_a_longer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (["x" * 60], []):
        monkeypatch.setattr(sys, "argv", ["archiver", *words])
        write(tmp_path / ".lock")
    found = lock_owner(tmp_path / ".lock")
    assert found is not None
    assert found.command == "archiver"


def test_a_host_or_command_in_other_letters_is_written_in_ascii(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["archiver", "Grüße\x1b[2J", "x" * 200])
    write(tmp_path / ".lock")
    found = lock_owner(tmp_path / ".lock")
    assert found is not None
    assert found.command.startswith("archiver Gr??e?[2J x")
    assert len(found.command) == 80


def test_a_full_disk_is_no_reason_not_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    write(tmp_path / ".lock")
    assert lock_owner(tmp_path / ".lock") is None


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff" * 1000, b"4711", b"0 nas 2026-11-25T03:00:00Z archiver\n",
        b"4711 nas 2026-99-99T03:00:00Z archiver backup\n",
        b"4711 nas 2026-11-25T03:00:00Z archiver \x1b[2J\n",
        b"4711 nas 2026-11-25T03:00:00Z archiver", b"4711 nas 2026-11-25T03:00:00Z a\nb\n",
    ],
)  # fmt: skip
def test_any_other_content_names_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".lock").write_bytes(content)
    assert lock_owner(tmp_path / ".lock") is None


def test_a_file_that_is_missing_or_a_link_names_nobody(tmp_path: Path) -> None:
    assert lock_owner(tmp_path / ".lock") is None
    (tmp_path / "other").write_text("4711 nas 2026-11-25T03:00:00Z archiver backup\n")
    (tmp_path / ".lock").symlink_to(tmp_path / "other")
    assert lock_owner(tmp_path / "other") is not None
    assert lock_owner(tmp_path / ".lock") is None


def test_it_is_described_for_people() -> None:
    assert str(OWNER) == "archiver backup, process 4711 on nas, since 2026-11-25 03:00 UTC"


def test_more_than_a_day_is_long() -> None:
    assert not OWNER.is_overdue(SINCE + timedelta(hours=24))
    assert OWNER.is_overdue(SINCE + timedelta(hours=24, seconds=1))
