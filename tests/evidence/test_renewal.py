"""A copy is brought up to date in one order: new database, files, and only then the exchange."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE
from archiver.errors import StorageError
from archiver.evidence import renewal
from archiver.evidence.files import MediaRow
from archiver.evidence.renewal import Copied, copy_to_temp, open_immutable, renew_copy
from archiver.evidence.verify import NEW_DATABASE
from archiver.media.disk import create_file
from archiver.media.folder_store import FolderStore


class Content:
    """The whole database of an archive as the content of a copy, but for what a test changes."""

    def __init__(self, archive: Path, *, reads_back: bool = False, is_good: bool = True) -> None:
        self.archive = archive
        self.reads_back = reads_back
        self.is_good = is_good

    def make(self, new: Path) -> None:
        os.close(create_file(new))
        with (
            closing(sqlite3.connect(self.archive / DATABASE)) as source,
            closing(sqlite3.connect(new)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")

    def check(self, connection: sqlite3.Connection, new: Path, copied: Copied) -> bool:
        assert new.exists()
        copied.rows = connection.execute("SELECT count(*) FROM posts").fetchone()[0]
        return self.is_good


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "copy").mkdir()
    return tmp_path / "copy"


def renew(archive: Path, target: Path, **options: bool) -> Copied:
    copied = Copied()
    renew_copy(Content(archive, **options), FolderStore(archive), target, copied)
    return copied


def media(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.glob("media/*/*")
    }


def row_of(path: str, size: int = 1) -> MediaRow:
    return MediaRow(path[9:73], path, size, None)


def test_a_first_copy_has_the_database_and_every_file(archive: Path, target: Path) -> None:
    copied = renew(archive, target)
    assert copied.done
    assert copied.files == len(media(archive)) > 0
    assert media(target) == media(archive)
    assert not (target / NEW_DATABASE).exists()
    with closing(open_immutable(target / DATABASE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM posts")


def test_files_that_are_there_are_not_copied_again(archive: Path, target: Path) -> None:
    first = renew(archive, target)
    again = renew(archive, target)
    assert (again.files, again.unchanged, again.done) == (0, first.files, True)


@pytest.mark.parametrize("reads_back", [True, False])
def test_a_changed_file_of_the_right_size_is_noticed_only_by_reading_it(
    archive: Path, target: Path, *, reads_back: bool
) -> None:
    renew(archive, target)
    path = next(target.glob("media/*/*"))
    path.write_bytes(bytes(path.stat().st_size))
    assert renew(archive, target, reads_back=reads_back).files == int(reads_back)


def test_where_the_new_database_is_not_good_the_copy_stays_as_it_was(
    archive: Path, target: Path
) -> None:
    renew(archive, target)
    before = (target / DATABASE).read_bytes()
    assert not renew(archive, target, is_good=False).done
    assert (target / DATABASE).read_bytes() == before
    assert not (target / NEW_DATABASE).exists()


def test_a_first_copy_that_was_interrupted_leaves_a_mark_and_is_finished_by_the_next(
    archive: Path, target: Path
) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        renew_copy(Content(archive), FolderStore(archive), target, Copied(), on_file=stop)
    assert not (target / DATABASE).exists()
    assert (target / NEW_DATABASE).read_bytes() == b""
    assert renew(archive, target).done
    assert not (target / NEW_DATABASE).exists()


def test_a_damaged_file_is_reported_and_not_copied(archive: Path, target: Path) -> None:
    path = next(archive.glob("media/*/*"))
    path.write_bytes(b"other bytes")
    copied = renew(archive, target)
    assert copied.done
    assert [finding.what for finding in copied.damage] == ["changed_file"]
    assert path.relative_to(archive).as_posix() not in media(target)


def test_a_disk_that_gives_back_other_bytes_ends_the_copy(
    archive: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = FolderStore.put

    def forgetful(self: FolderStore, files: object) -> list[str]:
        found = put(self, files)  # type: ignore[arg-type]  # as it came
        for path in self.directory.glob("media/*/*"):
            path.write_bytes(bytes(path.stat().st_size))
        return found

    monkeypatch.setattr(FolderStore, "put", forgetful)
    with pytest.raises(StorageError, match="reads back differently"):
        renew(archive, target)
    assert not (target / DATABASE).exists()


def test_a_file_that_is_read_wrong_once_is_read_again(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next(archive.glob("media/*/*"))
    row = row_of(path.relative_to(archive).as_posix(), path.stat().st_size)
    copy_bytes, calls = renewal._copy_bytes, []

    def wrong_once(*given: object) -> bool:
        calls.append(given)
        return len(calls) > 1 and copy_bytes(*given)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(renewal, "_copy_bytes", wrong_once)
    found = copy_to_temp(FolderStore(archive), tmp_path, row)
    assert found is not None
    assert found.path.read_bytes() == path.read_bytes()
    assert (found.sha256, found.size) == (row.sha256, row.size)


def test_a_file_that_cannot_be_read_leaves_nothing_behind(archive: Path, tmp_path: Path) -> None:
    shutil.rmtree(archive / "media")
    empty = tmp_path / "empty"
    empty.mkdir()
    row = row_of("media/ab/ab" + "0" * 62 + ".jpg")
    assert copy_to_temp(FolderStore(archive), empty, row) is None
    assert list(empty.iterdir()) == []
