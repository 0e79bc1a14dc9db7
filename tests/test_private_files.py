"""Small private files are whole at any time, and changed by one program at a time."""

import os
from pathlib import Path

import pytest

from archiver.private_files import lock_beside, replace_privately


def test_a_file_is_private_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    for data in (b"first", b"second"):
        replace_privately(path, data)
        assert path.read_bytes() == data
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    replace_privately(tmp_path / "kept", b"first")
    monkeypatch.setattr("archiver.private_files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_privately(tmp_path / "kept", b"second")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"first"]


def test_a_lock_is_held_by_one_program_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.private_files.LOCK_SECONDS", 0)
    held = lock_beside(tmp_path / "kept")
    with pytest.raises(TimeoutError):
        lock_beside(tmp_path / "kept")
    held.release()
    lock_beside(tmp_path / "kept").release()
