"""The lock of an archive: who holds it, what outlives its holder, disks that cannot lock."""

import errno
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archiver.archive.database import LOCK, archive_lock, writer
from archiver.archive.lock_owner import lock_owner
from archiver.errors import ArchiveLocked, StorageError

_HELPER = """
import os, subprocess, sys
from pathlib import Path
from archiver.archive.database import writer

with writer(Path(sys.argv[1])):
    subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"])
    print("held", flush=True)
    if sys.argv[2] == "killed":
        os._exit(0)
"""


def refusal(directory: Path) -> ArchiveLocked:
    """What is said to a second run."""
    with pytest.raises(ArchiveLocked) as caught, archive_lock(directory):
        pass
    return caught.value


def test_a_second_run_is_shown_which_process_holds_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["archiver", "backup", "Grüße\x1b[2J"])
    before = datetime.now(UTC)
    with writer(tmp_path):
        said = str(refusal(tmp_path))
    assert f"in use by archiver backup Gr??e?[2J, process {os.getpid()} on " in said
    assert any(f"since {at:%Y-%m-%d}" in said for at in (before, datetime.now(UTC)))  # midnight
    assert "Wait until it is done" in said


@pytest.mark.parametrize(("hours", "words"), [(23, "Wait until"), (25, "look at that process")])
def test_a_run_that_takes_more_than_a_day_is_worth_a_look(
    tmp_path: Path, hours: int, words: str
) -> None:
    since = datetime.now(UTC) - timedelta(hours=hours)
    with writer(tmp_path):
        (tmp_path / LOCK).write_text(f"4711 nas {since:%Y-%m-%dT%H:%M:%SZ} archiver -q backup\n")
        said = str(refusal(tmp_path))
    assert f"archiver -q backup, process 4711 on nas, since {since:%Y-%m-%d %H:%M}" in said
    assert words in said


def test_a_lock_file_that_names_nobody_is_no_reason_to_run(tmp_path: Path) -> None:
    with writer(tmp_path):
        (tmp_path / LOCK).write_bytes(b"\xff" * 1000)
        assert "in use by another run" in str(refusal(tmp_path))
    with writer(tmp_path):
        assert lock_owner(tmp_path / LOCK) is not None


@pytest.mark.parametrize("end", ["killed", "done"])
def test_a_helper_that_outlives_the_run_does_not_keep_the_lock(tmp_path: Path, end: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HELPER, str(tmp_path), end], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.wait()
        with writer(tmp_path):
            pass


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP])
def test_a_disk_that_cannot_lock_is_refused_with_words(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl", reason="a system with locks of another kind")

    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(StorageError, match="cannot lock files") as caught, writer(tmp_path):
        pass
    assert caught.value.code == "no_locks"
    monkeypatch.undo()
    with writer(tmp_path):
        pass
