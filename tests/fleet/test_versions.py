"""Versions of a database in a store: only what changed is sent, and nothing is overwritten."""

import json
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import obstore
import pytest
from obstore.store import LocalStore, S3Store

from archiver.archive.database import DATABASE
from archiver.errors import StorageError
from archiver.evidence.slices import Slice
from archiver.fleet.versions import (
    CHUNK,
    DamagedVersion,
    DatabaseVersion,
    damaged_packs,
    mark_version,
    marked_version,
    read_version,
    remove_old_versions,
    restore_version,
    save_version,
    version_name,
)
from support.erasing import SECRET, Erasing
from support.fleet.moto import moto_server
from support.fleet.objects import names_in, objects_with
from support.gazette import GazetteWorld, gazette


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
    folder: Path,
    bucket: LocalStore | S3Store,
    version: int,
    before: DatabaseVersion | None,
    fence: int = 1,
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


def test_each_damaged_pack_of_a_version_is_found(archive: Path, bucket: LocalStore) -> None:
    first = save(archive, bucket, 1, None)
    write(archive, ["one more " + "y" * 2000 for _ in range(600)])
    second = save(archive, bucket, 2, first)
    assert len(second.packs) == 2
    assert [*damaged_packs(bucket, second, bool)] == []
    old, new = (f"versions/{name}.pack" for name in sorted(second.packs))
    obstore.put(bucket, old, b"\0" * (first.packs[first.name] // 2))
    ((pack, why),) = damaged_packs(bucket, second, bool)
    assert pack == old
    assert "parts of the database cannot be read" in why
    obstore.delete(bucket, new)
    assert [pack for pack, _ in damaged_packs(bucket, second, bool)] == [old, new]
    parts = [Slice(part, 3) for part in (1, 2, 3)]
    found = {each for part in parts for each in damaged_packs(bucket, second, part.has_hash)}
    assert {pack for pack, _ in found} == {old, new}
    assert (new, "the file is not there") in found


def test_a_manifest_that_is_damaged_is_named_and_no_version_any_more(
    archive: Path, bucket: LocalStore
) -> None:
    first = save(archive, bucket, 1, None)
    write(archive, ["one more"])
    second = save(archive, bucket, 2, first)
    for damaged in (b"", b"no zlib", zlib.compress(b"no json"), zlib.compress(b"{}")):
        obstore.put(bucket, first.manifest, damaged)
        with pytest.raises(DamagedVersion, match="is damaged"):
            read_version(bucket, first.manifest)
    remove_old_versions(bucket, second, 7)
    assert first.manifest not in names_in(bucket)
    assert [*damaged_packs(bucket, second, bool)] == []


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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GazetteWorld]:
    """An archive with a post that is to be erased."""
    with gazette(tmp_path_factory.mktemp("made")) as world:
        world.publish("The bakery opens at six")
        world.publish(SECRET)
        world.backup("paper")
        yield world


@pytest.fixture
def erasing(made: GazetteWorld, tmp_path: Path) -> Erasing:
    shutil.copytree(made.folder / "archive", tmp_path / "erasing")
    return Erasing(made, tmp_path / "erasing")


MARKS = (SECRET.encode(), b"kowals")


def test_what_is_erased_is_in_no_version_any_more(erasing: Erasing, bucket: LocalStore) -> None:
    first = save(erasing.directory, bucket, 1, None)
    erasing.erase()
    second = save(erasing.directory, bucket, 2, first)
    assert second.packs.keys() == {second.name}, "it shares nothing with what was there before"
    assert objects_with(bucket, *MARKS) == [f"versions/{first.name}.pack"]
    remove_old_versions(bucket, second, keep=7)
    assert names_in(bucket) == [second.manifest, f"versions/{second.name}.pack"]
    assert objects_with(bucket, *MARKS) == []
    restore_version(bucket, read_version(bucket, second.manifest), erasing.directory)
    assert save(erasing.directory, bucket, 3, read_version(bucket, second.manifest)).sent == 0
    assert erasing.damage() == []


@pytest.mark.peers
def test_nor_in_a_bucket_of_a_server(erasing: Erasing, tmp_path: Path) -> None:
    with moto_server(tmp_path) as server:
        bucket = server.bucket("erased")
        first = save(erasing.directory, bucket, 1, None)
        assert objects_with(bucket, *MARKS) == [f"versions/{first.name}.pack"]
        erasing.erase()
        second = save(erasing.directory, bucket, 2, first)
        remove_old_versions(bucket, second, keep=7)
        assert names_in(bucket) == [second.manifest, f"versions/{second.name}.pack"]
        assert objects_with(bucket, *MARKS) == []


def test_a_worker_killed_before_it_removes_them_leaves_that_to_the_next(
    erasing: Erasing, bucket: LocalStore
) -> None:
    """Also what another one had put there and not put on record, and half of an upload."""
    first = save(erasing.directory, bucket, 1, None)
    save(erasing.directory, bucket, 2, first, fence=1)
    half = f"{version_name(2, 1)}.pack#1"
    place = Path(str(bucket.prefix)) / "versions"
    (place / half).write_text(SECRET)
    newer = f"{version_name(9, 9)}.pack#1"
    (place / newer).write_text("of another worker")
    erasing.erase()
    second = save(erasing.directory, bucket, 2, first, fence=2)
    third = save(erasing.directory, bucket, 3, read_version(bucket, second.manifest), fence=3)
    remove_old_versions(bucket, third, keep=7)
    assert objects_with(bucket, *MARKS) == []
    assert second.manifest in names_in(bucket)
    assert [path.name for path in place.glob("*#*")] == [newer]


def test_what_an_older_lease_puts_there_late_goes_with_the_next_removal(
    erasing: Erasing, bucket: LocalStore, tmp_path: Path
) -> None:
    first = save(erasing.directory, bucket, 1, None)
    late = tmp_path / "late"
    shutil.copytree(erasing.directory, late)
    erasing.erase()
    second = save(erasing.directory, bucket, 2, first, fence=2)
    remove_old_versions(bucket, second, keep=7)
    save(late, bucket, 2, None, fence=1)
    assert objects_with(bucket, *MARKS) == [f"versions/{version_name(2, 1)}.pack"]
    remove_old_versions(bucket, second, keep=7)
    assert objects_with(bucket, *MARKS) == []


def test_an_older_lease_removes_nothing_of_what_came_after(
    erasing: Erasing, bucket: LocalStore, tmp_path: Path
) -> None:
    first = save(erasing.directory, bucket, 1, None)
    erasing.erase()
    second = save(erasing.directory, bucket, 2, first, fence=2)
    remove_old_versions(bucket, first, keep=1)
    (tmp_path / "other").mkdir()
    restore_version(bucket, read_version(bucket, second.manifest), tmp_path / "other")
    assert Erasing(erasing.world, tmp_path / "other").rows("SELECT count(*) FROM posts") == [(1,)]


def test_an_erasure_that_no_version_has_is_not_undone_in_silence(
    erasing: Erasing, bucket: LocalStore
) -> None:
    """Another worker has put a version on record since, and so the erased one was never sent."""
    first = save(erasing.directory, bucket, 1, None)
    erasing.erase()
    with pytest.raises(StorageError, match="More was erased in"):
        restore_version(bucket, first, erasing.directory)
    assert erasing.traces() == []


def test_a_version_from_before_that_was_noted_counts_as_one_without_erasures(
    erasing: Erasing, bucket: LocalStore
) -> None:
    erasing.erase()
    saved = save(erasing.directory, bucket, 1, None)
    document = json.loads(zlib.decompress(bytes(obstore.get(bucket, saved.manifest).bytes())))
    assert document.pop("erasures") == saved.erasures > 0
    obstore.put(bucket, saved.manifest, zlib.compress(json.dumps(document).encode()))
    before = read_version(bucket, saved.manifest)
    assert before.erasures == 0
    assert save(erasing.directory, bucket, 2, before).sent == saved.sent


def test_chunks_are_whole_pages() -> None:
    assert CHUNK % 8192 == 0, "a changed page would change two chunks"
