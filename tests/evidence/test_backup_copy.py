"""Of a copy, only what the archive's own hashes confirm is given."""

import shutil
from pathlib import Path

import pytest

from archiver.archive.database import reader
from archiver.archive.row_objects import mappings
from archiver.errors import UsageError
from archiver.evidence.backup_copy import BackupCopy, open_backup_copy, refuse_unrelated_copy
from archiver.evidence.files import MediaRow
from archiver.media.folder_store import FolderStore
from support.saver import POST, saving
from support.small_archive import small_archive


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with saving(tmp_path) as saver:
        saver.save(POST)
    return tmp_path / "archive"


def test_a_row_is_found_by_its_key_or_its_hash_where_it_is_intact(directory: Path) -> None:
    with reader(directory) as connection:
        copy = BackupCopy(connection, directory)
        (row,) = mappings(connection.execute("SELECT * FROM posts"))
        assert copy.row("posts", (1,), row["row_sha256"]) == row
        assert copy.row_of_hash("posts", row["row_sha256"]) == row
        assert copy.row("posts", (1,), "another hash") is None
        assert copy.row("posts", (2,), row["row_sha256"]) is None
        assert copy.row_of_hash("posts", "another hash") is None


def test_a_row_that_is_damaged_in_the_copy_too_is_not_given() -> None:
    with small_archive() as archive:
        archive.post(archive.account("threads"))
        connection = archive.connection
        (digest,) = connection.execute("SELECT row_sha256 FROM posts").fetchone()
        connection.execute("UPDATE posts SET text = 'altered'")
        connection.row_factory = None
        assert BackupCopy(connection, Path("copy")).row("posts", (1,), digest) is None


def test_a_file_is_restored_where_its_bytes_have_the_hash(directory: Path, tmp_path: Path) -> None:
    name = "ef537f25c895bfa782526529a9b63d97aa631564d5d789c2b765448c8635fb6c"
    row = MediaRow(name, f"media/ef/{name}.txt", 15, None)
    path = directory / row.path
    path.parent.mkdir(parents=True)
    (tmp_path / "restored").mkdir()
    store = FolderStore(tmp_path / "restored")
    store.prepare()
    with reader(directory) as connection:
        copy = BackupCopy(connection, directory)
        path.write_bytes(b"The quick brown")
        assert not copy.restore_file(store, row)
        path.write_bytes(b"The quick brown fox jumps over the lazy dog.")
        assert copy.restore_file(store, MediaRow(name, row.path, 44, None))
    assert (tmp_path / "restored" / row.path).read_bytes() == path.read_bytes()


def test_the_archive_itself_and_a_copy_of_another_one_are_refused(
    directory: Path, tmp_path: Path
) -> None:
    with (
        pytest.raises(UsageError, match="is the archive itself"),
        open_backup_copy(directory, directory),
    ):
        pass
    other = tmp_path / "other"
    with saving(other):
        pass
    same = shutil.copytree(directory, tmp_path / "same")
    with reader(directory) as connection:
        with open_backup_copy(same, directory) as copy:
            refuse_unrelated_copy(connection, copy, same)
        with (
            open_backup_copy(other / "archive", directory) as copy,
            pytest.raises(UsageError, match="is no copy of this archive"),
        ):
            refuse_unrelated_copy(connection, copy, other)
