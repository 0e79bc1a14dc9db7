"""A temporary file: private, hashed while it is written, and removed unless it is kept."""

import hashlib
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.errors import StorageError
from archiver.media import temp_file
from archiver.media.kinds import HEAD
from archiver.media.temp_file import TempFile


def test_it_is_removed_unless_it_is_kept(tmp_path: Path) -> None:
    with TempFile(tmp_path) as file:
        file.write(b"x")
        file.finish()
    assert list(tmp_path.iterdir()) == []
    with TempFile(tmp_path) as file:
        file.write(b"x")
        file.finish()
        file.keep()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"x"]


def test_there_is_none_before_there_is_something_to_write(tmp_path: Path) -> None:
    with TempFile(tmp_path) as file:
        file.write(b"some bytes")
        file.restart()
        file.write(b"others")
        assert list(tmp_path.iterdir()) == []
        assert file.finish() == hashlib.sha256(b"others").hexdigest()
        assert file.path.read_bytes() == b"others"


def test_an_empty_one_is_made_too(tmp_path: Path) -> None:
    with TempFile(tmp_path) as file:
        file.finish()
        assert file.path.read_bytes() == b""


def test_it_is_removed_when_writing_fails(tmp_path: Path) -> None:
    file = TempFile(tmp_path)
    file.write(b"x")
    file.flush()
    with pytest.raises(ValueError, match="broken"), file:
        raise ValueError("broken")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    with TempFile(tmp_path) as file:
        file.finish()
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(st.binary(max_size=99)), pieces=st.lists(st.binary(max_size=99)),
    restarts=st.booleans(),
)  # fmt: skip
def test_size_hash_and_head_are_those_of_the_bytes(
    tmp_path: Path, before: list[bytes], pieces: list[bytes], restarts: bool
) -> None:
    with TempFile(tmp_path) as file:
        for piece in before if restarts else []:
            file.write(piece)
        if restarts:
            file.flush()
            file.restart()
        for piece in pieces:
            file.write(piece)
        whole = b"".join(pieces)
        assert file.finish() == hashlib.sha256(whole).hexdigest()
        assert (file.size, file.head) == (len(whole), whole[:HEAD])
        assert file.path.read_bytes() == whole


def test_bytes_reach_the_disk_a_piece_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temp_file, "CHUNK_SIZE", 4)
    with TempFile(tmp_path) as file:
        file.write(b"abc")
        assert not file.path.exists()
        file.write(b"d")
        assert file.path.read_bytes() == b"abcd"


@pytest.mark.parametrize("count", [1, 16, 17])
def test_a_system_that_takes_some_bytes_at_a_time_gets_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    pieces = [b"%05d" % number for number in range(count)]
    with TempFile(tmp_path) as file:
        for piece in pieces:
            file.write(piece)
        file.finish()
        assert file.path.read_bytes() == b"".join(pieces)


def test_a_folder_that_is_not_there_is_an_error_with_words(tmp_path: Path) -> None:
    with TempFile(tmp_path / "missing") as file, pytest.raises(StorageError):
        file.finish()
