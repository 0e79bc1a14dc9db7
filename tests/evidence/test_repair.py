"""Lost and damaged files come back from the source; only the same bytes recover them."""

import os
import shutil
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.database import DATABASE, archive_lock, reader
from archiver.archive.readers import archive_status
from archiver.errors import StorageError
from archiver.evidence import files
from archiver.evidence.files import Scope, files_in
from archiver.evidence.repair import repair
from archiver.evidence.verify import verify
from archiver_ayrshare.demo.specs import photo
from support.bad_archives import BAD, Bad, flip, raw
from support.nights import Nights, nights

pytestmark = pytest.mark.slow

NOW = "2026-11-23T00:00:00.000Z"
OF_FILES = [bad for bad in BAD if bad.finding in {"changed_file", "missing_file"}]


def findings(archive: Path) -> list[str]:
    return [finding.what for finding in verify(archive, Scope(), NOW).findings]


def put_right(archive: Path, copy: Path | None = None) -> Any:
    return repair(archive, verify(archive, Scope(), NOW), NOW, copy)


def world_of_pictures(world: Nights) -> None:
    for number in range(4):
        world.account("instagram").publish(f"Picture {number}", media=[photo()])
    assert world.backup().exit_code == 0


@pytest.mark.parametrize("bad", OF_FILES, ids=lambda bad: bad.name)
def test_the_next_backup_restores_what_was_lost(bad: Bad, tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world_of_pictures(world)
        intact = {p: p.read_bytes() for p in world.directory.glob("media/*/*")}
        world.next_night(30)  # every address has long expired
        bad.damage(world.directory)

        repaired = put_right(world.directory)
        assert repaired.queued >= 1
        assert "known_lost" in findings(world.directory)
        assert verify(world.directory, Scope(), NOW).damage == []

        report = world.backup(now=True)

        assert report.exit_code == 0
        assert {p: p.read_bytes() for p in world.directory.glob("media/*/*")} == intact
        assert set(findings(world.directory)) <= {"leftover"}, "what was damaged is in quarantine"
        assert world.column("SELECT count(*) FROM media WHERE lost_at IS NOT NULL") == [0]
        events = world.column("SELECT what FROM events WHERE what IN ('lost', 'recovered')")
        assert events.count("lost") == events.count("recovered") >= 1


def test_other_bytes_restore_nothing_and_the_old_ones_stay_known_as_lost(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world_of_pictures(world)
        post = world.account("instagram").posts()[-1]
        (old,) = world.column(
            "SELECT media_sha256 FROM renditions JOIN attachments ON attachments.id = attachment_id"
            " JOIN posts ON posts.id = post_id WHERE posts.platform_id = ? AND role = 'original'",
            post.id,
        )
        (path,) = world.column("SELECT path FROM media WHERE sha256 = ?", old)
        (world.directory / path).unlink()
        put_right(world.directory)
        post.media[0].files[0].recipe = (
            world.account("instagram").posts()[0].media[0].files[0].recipe
        )
        world.next_night()

        assert world.backup(now=True).exit_code == 0

        (new,) = world.column(
            "SELECT media_sha256 FROM renditions JOIN attachments ON attachments.id = attachment_id"
            " JOIN posts ON posts.id = post_id WHERE posts.platform_id = ? AND role = 'original'",
            post.id,
        )
        assert new != old
        assert world.column("SELECT sha256 FROM media WHERE lost_at IS NOT NULL") == [old]
        (reason,) = world.column("SELECT reason FROM events WHERE what = 'replaced'")
        assert old in reason
        assert findings(world.directory) == ["known_lost"]


def test_a_damaged_file_is_restored_by_any_download_of_the_same_bytes(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        picture = photo("the same")
        world.account("instagram").publish("Once", media=[picture])
        assert world.backup().exit_code == 0
        (path,) = world.column("SELECT path FROM media ORDER BY size DESC LIMIT 1")
        whole = (world.directory / path).read_bytes()
        (world.directory / path).write_bytes(flip(whole, 77))
        world.account("instagram").publish("The same again", media=[picture])
        world.next_night()

        assert world.backup().exit_code == 0

        assert (world.directory / path).read_bytes() == whole
        assert world.column("SELECT count(*) FROM events WHERE what = 'recovered'")[0] >= 1
        assert verify(world.directory, Scope(), NOW).damage == []


@pytest.mark.parametrize("letter", [3, 12, -1])
@pytest.mark.parametrize("column", ["path", "sha256"])
def test_a_file_whose_row_names_another_path_is_not_lost(
    archive: Path, good_copy: Path, column: str, letter: int
) -> None:
    """A bit in the folder, in the hash, or in the extension; or the same in the key itself."""
    with raw(archive) as connection:
        (path,) = connection.execute(f"SELECT {column} FROM media LIMIT 1").fetchone()
        wrong = flip(path.encode(), letter % len(path) * 8).decode()
        connection.execute(f"UPDATE media SET {column} = ? WHERE {column} = ?", (wrong, path))

    assert put_right(archive).queued == 0
    repaired = put_right(archive, good_copy)

    assert repaired.queued == 0
    assert set(findings(archive)) <= {"leftover"}
    with raw(archive) as connection:
        query = "SELECT count(*) FROM events WHERE what IN ('lost', 'recovered')"
        assert connection.execute(query).fetchone()[0] == 0


def test_a_lost_file_whose_row_was_damaged_too_is_queued(archive: Path, copy: Path) -> None:
    with raw(archive) as connection:
        (path,) = connection.execute("SELECT path FROM media LIMIT 1").fetchone()
        connection.execute("UPDATE media SET path = ? WHERE path = ?", (f"{path[:-1]}f", path))
    (archive / path).unlink()
    (copy / path).unlink()
    repaired = put_right(archive, copy)
    assert repaired.rows == 1
    assert repaired.queued >= 1
    assert findings(archive) == ["known_lost"]


@pytest.mark.parametrize("leave", [False, True])
def test_a_disk_that_is_not_mounted_is_no_reason_to_fetch_everything(
    archive: Path, tmp_path: Path, leave: bool
) -> None:
    (archive / "media").rename(tmp_path / "elsewhere")
    if leave:  # a mount point
        (archive / "media").mkdir()

    with pytest.raises(StorageError, match="mounted"):
        put_right(archive)

    if leave:
        (archive / "media").rmdir()
    (tmp_path / "elsewhere").rename(archive / "media")
    assert findings(archive) == []


def test_files_that_are_gone_for_good_are_queued_as_the_message_says(archive: Path) -> None:
    shutil.rmtree(archive / "media")
    (archive / "media" / "00").mkdir(parents=True)
    assert put_right(archive).queued > 5


def test_a_lost_file_is_not_counted_as_held(archive: Path) -> None:
    with reader(archive) as connection:
        before = archive_status(connection)
    next(archive.glob("media/*/*")).unlink()
    put_right(archive)
    with reader(archive) as connection:
        after = archive_status(connection)
    assert after.files == before.files - 1
    assert after.size < before.size
    assert sum(account.files for account in after.accounts) < sum(
        account.files for account in before.accounts
    )


def test_a_file_put_back_by_hand_is_noticed(archive: Path) -> None:
    path = next(archive.glob("media/*/*"))
    data = path.read_bytes()
    path.unlink()
    put_right(archive)
    assert "known_lost" in findings(archive)

    path.write_bytes(data)

    assert findings(archive) == []
    assert findings(archive) == []


def test_a_database_with_damaged_pages_is_not_written_to(archive: Path) -> None:
    (page,) = [bad for bad in BAD if bad.name == "page_of_noise"]
    page.damage(archive)
    before = (archive / DATABASE).read_bytes()
    assert not put_right(archive)
    assert (archive / DATABASE).read_bytes() == before


@pytest.mark.parametrize("name", ["index_that_disagrees", "search_index_without_a_post"])
def test_an_index_is_rebuilt(archive: Path, name: str) -> None:
    (bad,) = [bad for bad in BAD if bad.name == name]
    bad.damage(archive)
    assert put_right(archive).indexes == 1
    assert findings(archive) == []


class TestParts:
    """Files are read over many nights: by slices, or as long as there is time."""

    def test_damage_in_another_slice_is_not_found_and_in_its_own_it_is(self, archive: Path) -> None:
        next(archive.glob("media/*/*")).unlink()
        found = [len(verify(archive, Scope(part, 5), NOW).damage) for part in range(1, 6)]
        assert sorted(found) == [0, 0, 0, 0, 1]

    def test_what_was_longest_not_read_comes_first(self, archive: Path) -> None:
        times = [f"2026-11-{day:02d}T00:00:00.000Z" for day in (20, 21, 22, 23)]
        for number, time in enumerate(times):
            verify(archive, Scope(number + 1, 4), time)
        with raw(archive) as connection:
            query = "SELECT sha256 FROM media ORDER BY verified_at, sha256"
            expected = [row[0] for row in connection.execute(query)]
            assert [name.hex() for name in files_in(connection, Scope(seconds=3600))] == expected

    def test_what_was_read_in_the_future_counts_as_never_read(self, archive: Path) -> None:
        verify(archive, Scope(), NOW)
        verify(archive, Scope(1, 4), "2106-02-11T00:00:00.000Z")
        with raw(archive) as connection:
            query = "SELECT sha256 FROM media ORDER BY verified_at < '2100', sha256"
            expected = [row[0] for row in connection.execute(query)]
            found = files_in(connection, Scope(seconds=3600), NOW)
        assert [name.hex() for name in found] == expected

    def test_without_time_nothing_is_read_but_rows(self, archive: Path) -> None:
        result = verify(archive, Scope(seconds=0), NOW)
        assert (result.files, result.left > 0, result.rows > 0) == (0, True, True)

    def test_while_a_backup_holds_the_lock_all_is_read_and_nothing_noted(
        self, archive: Path
    ) -> None:
        with archive_lock(archive):
            result = verify(archive, Scope(), "2027-01-01T00:00:00.000Z")
        assert result.damage == []
        assert [finding.what for finding in result.findings] == ["unchecked"]
        with raw(archive) as connection:
            query = "SELECT count(*) FROM media WHERE verified_at LIKE '2027%'"
            assert connection.execute(query).fetchone()[0] == 0


def test_a_reading_that_is_wrong_once_is_noted_and_no_damage(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.hash_stream  # type: ignore[attr-defined]  # what it uses is what is wanted here
    first = next(archive.glob("media/*/*"))

    def flaky(stream: FileIO, *, from_disk: bool = False) -> tuple[str, int]:
        digest, size = real(stream, from_disk=from_disk)
        is_first = os.fstat(stream.fileno()).st_ino == first.stat().st_ino
        return ("0" * 64 if is_first and not from_disk else digest), size

    monkeypatch.setattr(files, "hash_stream", flaky)
    result = verify(archive, Scope(), NOW)
    assert result.damage == []
    assert [finding.what for finding in result.findings] == ["unsteady"]
