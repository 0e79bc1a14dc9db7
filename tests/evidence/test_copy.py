"""A second copy: whole at every moment, never mixed with another archive, fit for a restore."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, archive_lock, transaction, writer
from archiver.archive.rows import insert, update
from archiver.cli import main
from archiver.errors import ArchiveLocked, DamageFound, StorageError, UsageError
from archiver.evidence.copy import copy_archive
from archiver.evidence.files import Scope
from archiver.evidence.repair import repair
from archiver.evidence.verify import verify
from archiver_ayrshare.demo.specs import photo
from support.bad_archives import BAD, flip, raw
from support.nights import nights

pytestmark = pytest.mark.slow

NOW = "2026-11-23T00:00:00.000Z"


def media(archive: Path) -> dict[str, bytes]:
    """Every file of an archive."""
    return {
        path.relative_to(archive).as_posix(): path.read_bytes()
        for path in (archive / "media").rglob("*")
        if path.is_file()
    }


def rows(archive: Path, table: str) -> int:
    connection = sqlite3.connect(archive / DATABASE)
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(count)


def test_a_copy_is_an_archive_of_the_same_rows_and_files(archive: Path, tmp_path: Path) -> None:
    copied = copy_archive(archive, tmp_path / "copy")

    assert copied.done
    assert copied.files == len(media(archive))
    assert media(tmp_path / "copy") == media(archive)
    assert verify(tmp_path / "copy", Scope(), NOW).findings == []
    entries = sorted(path.name for path in (tmp_path / "copy").iterdir())
    assert entries == [".lock", "archive.db", "media", "tmp"]
    assert (tmp_path / "copy" / DATABASE).stat().st_mode & 0o777 == 0o600


def test_what_is_there_is_not_copied_again(archive: Path, tmp_path: Path) -> None:
    first = copy_archive(archive, tmp_path / "copy")
    again = copy_archive(archive, tmp_path / "copy")
    assert (again.files, again.unchanged) == (0, first.files)

    one = next((tmp_path / "copy" / "media").glob("*/*"))
    one.unlink()
    assert copy_archive(archive, tmp_path / "copy").files == 1


def test_rows_in_the_log_of_a_running_backup_are_copied_though_cp_would_lose_them(
    archive: Path, tmp_path: Path
) -> None:
    with writer(archive) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        for _ in range(100):
            with transaction(connection):
                insert(
                    connection, "events", post_id=1, run_id=1, at=NOW, what="edited", reason=None
                )
        before = rows(archive, "events")
        shutil.copy(archive / DATABASE, tmp_path / "by-cp.db")

        copy_archive(archive, tmp_path / "copy")

    assert rows(tmp_path / "copy", "events") == before
    lost = sqlite3.connect(tmp_path / "by-cp.db")
    assert lost.execute("SELECT count(*) FROM events").fetchone()[0] == before - 100
    lost.close()


def test_another_archive_is_never_written_to(archive: Path, tmp_path: Path) -> None:
    with writer(tmp_path / "other"):
        pass
    before = (tmp_path / "other" / DATABASE).read_bytes()
    with pytest.raises(UsageError, match="another archive"):
        copy_archive(archive, tmp_path / "other")
    assert (tmp_path / "other" / DATABASE).read_bytes() == before


def test_a_folder_of_something_else_is_refused(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("Dear all")
    with pytest.raises(UsageError, match="not empty"):
        copy_archive(archive, tmp_path / "home")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("place", [".", "copy", ".."])
def test_a_copy_within_its_archive_is_refused(archive: Path, place: str) -> None:
    with pytest.raises(UsageError, match="is inside the other"):
        copy_archive(archive, archive / place)


def test_a_copy_that_somebody_writes_to_is_left_alone(archive: Path, tmp_path: Path) -> None:
    copy_archive(archive, tmp_path / "copy")
    with archive_lock(tmp_path / "copy"), pytest.raises(ArchiveLocked):
        copy_archive(archive, tmp_path / "copy")


def test_a_damaged_file_is_not_copied_and_what_the_copy_had_stays(
    archive: Path, tmp_path: Path
) -> None:
    copy_archive(archive, tmp_path / "copy")
    intact = media(archive)
    first, second = sorted((archive / "media").glob("*/*"))[:2]
    for path in (first, second):
        path.write_bytes(flip(path.read_bytes(), 0))
    (tmp_path / "copy" / second.relative_to(archive)).unlink()

    copied = copy_archive(archive, tmp_path / "copy")

    assert copied.done
    assert [f.subject for f in copied.damage] == [second.relative_to(archive).as_posix()]
    del intact[second.relative_to(archive).as_posix()]
    assert media(tmp_path / "copy") == intact


def test_damaged_rows_never_take_the_place_of_an_intact_copy(archive: Path, tmp_path: Path) -> None:
    copy_archive(archive, tmp_path / "copy")
    before = (tmp_path / "copy" / DATABASE).read_bytes()
    with raw(archive) as connection:
        connection.execute("UPDATE posts SET text = 'We never said so' WHERE id = 1")

    copied = copy_archive(archive, tmp_path / "copy")

    assert not copied.done
    assert copied.damage
    assert (tmp_path / "copy" / DATABASE).read_bytes() == before


def test_a_database_that_is_none_any_more_is_not_copied(archive: Path, tmp_path: Path) -> None:
    (archive / DATABASE).write_bytes(b"noise")
    with pytest.raises(DamageFound):
        copy_archive(archive, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def everything_in(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def add_event(connection: sqlite3.Connection) -> None:
    insert(connection, "events", post_id=1, run_id=1, at=NOW, what="missing")


def add_run(connection: sqlite3.Connection) -> None:
    counts = dict.fromkeys(
        ("got", "new", "edited", "removed", "stored", "bytes", "omitted", "failed"), 0
    )
    insert(
        connection, "runs", started_at=NOW, outcome="running", version="1", asked="{}", **counts
    )  # fmt: skip


@pytest.mark.parametrize("add", [add_run, add_event])
def test_a_copy_is_not_replaced_by_an_older_state_unless_asked_for(
    archive: Path, tmp_path: Path, add: Callable[[sqlite3.Connection], None]
) -> None:
    copy = tmp_path / "copy"
    older = (archive / DATABASE).read_bytes()
    with writer(archive) as connection:
        add(connection)
    assert copy_archive(archive, copy).done
    before = everything_in(copy)
    (archive / DATABASE).write_bytes(older)

    with pytest.raises(UsageError, match="--older") as raised:
        copy_archive(archive, copy)

    assert raised.value.exit_code == 2
    assert everything_in(copy) == before
    assert copy_archive(archive, copy, older=True).done
    assert rows(copy, "runs") == rows(archive, "runs")


def test_an_older_state_that_went_on_by_itself_is_no_newer_one(
    archive: Path, tmp_path: Path
) -> None:
    older = (archive / DATABASE).read_bytes()
    with writer(archive) as connection:
        add_run(connection)
    copy_archive(archive, tmp_path / "copy")
    (archive / DATABASE).write_bytes(older)
    with writer(archive) as connection:
        add_run(connection)
        add_run(connection)
        update(connection, "runs", "id > 4", (), started_at="2026-12-24T00:00:00.000Z")
        add_event(connection)
    with pytest.raises(UsageError, match="has run 5"):
        copy_archive(archive, tmp_path / "copy")


def test_a_copy_that_was_repaired_is_renewed_all_the_same(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_archive(archive, copy)
    with raw(copy) as connection:
        connection.execute("UPDATE posts SET raw = '{}' WHERE id = 1")
    next((copy / "media").glob("*/*")).unlink()
    assert repair(copy, verify(copy, Scope(), NOW), NOW, archive).rows == 1
    assert rows(copy, "events") > rows(archive, "events")

    assert copy_archive(archive, copy).done


@pytest.mark.parametrize(
    "name", ["zeroed_header", "truncated_to_half_a_page", "truncated_to_nothing", "page_of_ids"]
)
def test_a_damaged_copy_is_named_as_such_and_its_files_serve_the_next_one(
    archive: Path, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / "disk"
    files = copy_archive(archive, copy).files
    (copy / "cache").mkdir()
    damage_database(copy, name)
    before = (copy / DATABASE).read_bytes()

    with pytest.raises(DamageFound) as raised:
        copy_archive(archive, copy)

    assert str(copy / DATABASE) in str(raised.value)
    assert str(archive) not in str(raised.value)
    assert "out of that folder" in (raised.value.hint or "")
    assert (copy / DATABASE).read_bytes() == before

    (copy / DATABASE).rename(tmp_path / "damaged.db")
    again = copy_archive(archive, copy)
    assert (again.done, again.files, again.unchanged) == (True, 0, files)
    assert verify(copy, Scope(), NOW).findings == []


def damage_database(archive: Path, name: str) -> None:
    """Make the database of an archive unreadable, in a way of the public set or one of our own."""
    if name != "page_of_ids":
        (bad,) = [bad for bad in BAD if bad.name == name]
        bad.damage(archive)
        return
    path = archive / DATABASE
    with raw(archive) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'about'"
        (page,) = connection.execute(query).fetchone()
    data = path.read_bytes()
    path.write_bytes(data[: (page - 1) * size] + b"\xff" * size + data[page * size :])


def test_a_first_copy_that_fails_is_not_taken_for_a_damaged_archive_and_the_next_finishes_it(
    archive: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"

    def stop(size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_archive(archive, copy, on_file=stop)
    with pytest.raises(StorageError, match="an unfinished copy"):
        verify(copy, Scope(), NOW)

    assert copy_archive(archive, copy).done
    assert verify(copy, Scope(), NOW).findings == []


def test_the_restore_drill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The steps of docs/second-copy.md: the disk dies, the copy takes its place, backups go on."""
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").populate(8)
        assert world.backup().exit_code == 0
        config = str(tmp_path / "archive.toml")
        copy = tmp_path / "disk" / "copy"
        with pytest.raises(SystemExit) as ended:
            main(["--config", config, "copy", str(copy)])
        assert not ended.value.code
        assert "copied and read back" in capsys.readouterr().out
        everything = world.dump("posts", "revisions", "media", "events")
        shutil.rmtree(world.directory)

        shutil.copytree(copy, world.directory)
        with pytest.raises(SystemExit) as ended:
            main(["--config", config, "verify"])

        assert not ended.value.code
        assert [row[0] for row in world.dump("media")["media"]] == [
            row[0] for row in everything["media"]
        ]
        assert world.dump("posts", "revisions", "events") == {
            table: everything[table] for table in ("posts", "revisions", "events")
        }
        world.account("instagram").publish("After the restore", media=[photo()])
        world.next_night()
        report = world.backup()
        assert (report.exit_code, report.counts.new) == (0, 1)
