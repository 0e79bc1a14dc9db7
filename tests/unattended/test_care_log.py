"""The log of verify and copy, which never stands in their way."""

from pathlib import Path

import pytest

from archiver.archive.database import archive_lock, reader, writer
from archiver.unattended.care_log import CareEntry, log_care, newest_care

AT = "2026-03-03T09:00:00.000Z"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with writer(tmp_path):
        pass
    return tmp_path


def logged(directory: Path) -> list[CareEntry]:
    with reader(directory) as connection:
        return newest_care(connection)


def test_the_newest_verify_and_the_newest_copy_of_each_place_are_known(directory: Path) -> None:
    entries = [
        CareEntry("verify", AT, "damaged", 3, 30, 1),
        CareEntry("copy", AT, "done", 3, 30, target="/mnt/one"),
        CareEntry("verify", AT, "done", 3, 30),
        CareEntry("copy", AT, "done", 4, 40, target="/mnt/two"),
    ]
    for entry in entries:
        log_care(directory, entry)
    assert logged(directory) == [entries[2], entries[1], entries[3]]


def test_a_failure_stands_behind_what_was_done_before_it_until_it_is_done_again(
    directory: Path,
) -> None:
    done = CareEntry("copy", AT, "done", 3, 30, target="/mnt/one")
    failed = CareEntry("copy", AT, "failed", target="/mnt/one", error_code="not_mounted")
    for entry in (done, failed, failed):
        log_care(directory, entry)
    assert logged(directory) == [done, failed]
    log_care(directory, done)
    assert logged(directory) == [done]


def test_while_a_backup_runs_nothing_is_logged_and_nothing_fails(directory: Path) -> None:
    with archive_lock(directory):
        log_care(directory, CareEntry("verify", AT, "done"))
    assert logged(directory) == []


def test_no_archive_is_made_for_the_log(tmp_path: Path) -> None:
    log_care(tmp_path / "none", CareEntry("verify", AT, "done"))
    assert not (tmp_path / "none").exists()
