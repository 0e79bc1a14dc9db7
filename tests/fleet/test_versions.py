"""Versions of a database in a store: only what changed is sent, and nothing is overwritten."""

import sqlite3
from contextlib import closing
from pathlib import Path

import obstore
import pytest
from obstore.store import LocalStore

from archiver.archive.database import DATABASE
from archiver.errors import StorageError
from archiver.fleet.versions import (
    CHUNK,
    DatabaseVersion,
    mark_version,
    marked_version,
    read_version,
    remove_old_versions,
    restore_version,
    save_version,
    version_name,
)


@pytest.fixture
def bucket(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store", mkdir=True)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder with a database of about twenty chunks."""
    folder = tmp_path / "archive"
    folder.mkdir()
    write(folder, [f"post {number} " + "x" * 2000 for number in range(1200)])
    return folder


def write(folder: Path, texts: list[str]) -> None:
    """Add posts, in a database with a write-ahead log as the archive's is."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE IF NOT EXISTS posts (text)")
        connection.executemany("INSERT INTO posts VALUES (?)", [(text,) for text in texts])


def posts(folder: Path) -> int:
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        found: int = connection.execute("SELECT count(*) FROM posts").fetchone()[0]
        return found


def save(
    folder: Path, bucket: LocalStore, version: int, before: DatabaseVersion | None, fence: int = 1
) -> DatabaseVersion:
    return save_version(folder, bucket, version_name(version, fence), before)


def test_another_machine_gets_the_database_as_it_was_saved(
    archive: Path, bucket: LocalStore, tmp_path: Path
) -> None:
    saved = save(archive, bucket, 1, None)
    (tmp_path / "other").mkdir()
    fetched = restore_version(bucket, read_version(bucket, saved.manifest), tmp_path / "other")
    assert (tmp_path / "other" / DATABASE).read_bytes() == (archive / DATABASE).read_bytes()
    assert fetched == saved.sent
    assert marked_version(tmp_path / "other") == saved.name


def test_only_what_changed_is_sent_and_fetched(
    archive: Path, bucket: LocalStore, tmp_path: Path
) -> None:
    first = save(archive, bucket, 1, None)
    other = tmp_path / "other"
    other.mkdir()
    restore_version(bucket, first, other)
    write(archive, ["one more"])
    second = save(archive, bucket, 2, first)
    new = [chunk for chunk in second.chunks if chunk.pack == second.name]
    assert 0 < len(new) <= 3 < len(second.chunks)
    fetched = restore_version(bucket, read_version(bucket, second.manifest), other)
    assert fetched == second.sent < first.sent
    assert posts(other) == 1201


def test_what_did_not_change_sends_no_pack(archive: Path, bucket: LocalStore) -> None:
    first = save(archive, bucket, 1, None)
    second = save(archive, bucket, 2, first)
    assert second.sent == 0
    assert second.chunks == first.chunks


def test_what_a_killed_run_left_here_is_replaced(archive: Path, bucket: LocalStore) -> None:
    """Its database and its log: another worker has gone on from the version before."""
    saved = save(archive, bucket, 1, None)
    mark_version(archive, saved.name)
    with closing(sqlite3.connect(archive / DATABASE)) as open_elsewhere:
        open_elsewhere.execute("SELECT * FROM posts LIMIT 1").fetchone()
        write(archive, ["never put back"])
        assert (archive / f"{DATABASE}-wal").stat().st_size > 0
        restore_version(bucket, saved, archive)
    assert posts(archive) == 1200


def test_damage_in_the_store_is_noticed_and_leaves_what_is_here(
    archive: Path, bucket: LocalStore, tmp_path: Path
) -> None:
    saved = save(archive, bucket, 1, None)
    pack = tmp_path / "store" / "versions" / f"{saved.name}.pack"
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    other = tmp_path / "other"
    other.mkdir()
    write(other, ["mine"])
    with pytest.raises(StorageError, match="other bytes"):
        restore_version(bucket, saved, other)
    assert posts(other) == 1


def test_an_older_lease_overwrites_nothing(
    archive: Path, bucket: LocalStore, tmp_path: Path
) -> None:
    first = save(archive, bucket, 1, None)
    late = tmp_path / "late"
    late.mkdir()
    restore_version(bucket, first, late)
    write(archive, ["by the newer lease"])
    newer = save(archive, bucket, 2, first, fence=2)
    write(late, ["by", "the", "older", "lease"])
    save(late, bucket, 2, first, fence=1)
    restore_version(bucket, newer, late)
    assert posts(late) == 1201
    write(archive, ["under a name that is taken"])
    with pytest.raises(StorageError, match="in the store already"):
        save(archive, bucket, 2, first, fence=2)


def test_a_version_whose_answer_was_lost_is_put_again(archive: Path, bucket: LocalStore) -> None:
    saved = save(archive, bucket, 1, None)
    assert save(archive, bucket, 1, None) == saved


def test_old_versions_are_removed_and_the_kept_ones_can_be_restored(
    archive: Path, bucket: LocalStore, tmp_path: Path
) -> None:
    current = save(archive, bucket, 1, None)
    for version in range(2, 6):
        write(archive, [f"version {version}"])
        current = save(archive, bucket, version, current)
    obstore.put(bucket, f"versions/{version_name(6, 9)}.pack", b"of another worker")
    remove_old_versions(bucket, current, keep=2)
    left = sorted(each["path"] for some in obstore.list(bucket, "versions") for each in some)
    assert [path for path in left if path.endswith(".json")] == [
        f"versions/{version_name(4, 1)}.json", f"versions/{version_name(5, 1)}.json",
    ]  # fmt: skip
    assert f"versions/{version_name(6, 9)}.pack" in left
    for version, count in ((4, 1203), (5, 1204)):
        folder = tmp_path / f"v{version}"
        folder.mkdir()
        name = f"versions/{version_name(version, 1)}.json"
        restore_version(bucket, read_version(bucket, name), folder)
        assert posts(folder) == count


def test_chunks_are_whole_pages() -> None:
    assert CHUNK % 8192 == 0, "a changed page would change two chunks"
