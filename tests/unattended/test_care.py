"""Looking after an archive: what is due, what is done, and what of it fails."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archiver.archive.database import archive_lock, reader
from archiver.config import Config
from archiver.errors import ArchiveLocked, DamageFound
from archiver.settings import CareSettings
from archiver.unattended.care import Care, CareResult, slice_of_the_day
from archiver.unattended.care_log import CareKind, newest_care
from archiver.unattended.due_care import care_due_in
from support.nights import Nights, nights

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, 3, 17, tzinfo=UTC)
LONG = timedelta(hours=1)


@pytest.mark.parametrize(("rows", "days"), [(0, 1), (999_999, 1), (12_345_678, 13), (10**9, 30)])
def test_the_rows_of_a_large_archive_are_verified_within_some_days(rows: int, days: int) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE table_checksums (name, rows, sum)")
        connection.execute("INSERT INTO table_checksums VALUES ('posts', ?, 0)", (rows,))
        found = [slice_of_the_day(connection, NOW + timedelta(day)) for day in range(days)]
    assert {part.part for part in found} == set(range(1, days + 1))
    assert {part.parts for part in found} == {days}


class Archive:
    """An archive of a few posts, and the config that looks after it."""

    def __init__(self, world: Nights) -> None:
        self.world = world
        self.copy = world.folder / "copy"
        world.account("threads").populate(4)
        world.backup()

    def config(self, **care: object) -> Config:
        return replace(self.world.config(), care=CareSettings(**care))  # type: ignore[arg-type]  # each by its name

    def take(self, *parts: CareKind, **care: object) -> list[CareResult]:
        return list(Care(self.config(**care), {}).take(parts))

    def logged(self) -> list[tuple[str, str]]:
        return self.world.query("SELECT what, outcome FROM care ORDER BY id")

    def files(self) -> list[Path]:
        return [path for path in self.world.directory.glob("media/*/*") if path.is_file()]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with nights(tmp_path, "threads") as world:
        yield Archive(world)


def test_all_is_done_under_one_lock_and_logged(archive: Archive) -> None:
    wanted = {"verify": LONG, "copy_to": archive.copy, "thumbnails": LONG}
    results = archive.take("verify", "copy", "thumbnails", **wanted)
    assert [result.error for result in results] == [None, None, None]
    assert [result.left for result in results] == [0, 0, 0]
    files = len(archive.files())
    assert [result.entry.files for result in results[:2]] == [files, files]
    assert archive.logged() == [("verify", "done"), ("copy", "done"), ("thumbnails", "done")]
    assert archive.world.column("SELECT count(*) FROM media WHERE verified_at IS NULL") == [0]
    with reader(archive.copy) as connection:
        assert connection.execute("SELECT count(*) FROM media").fetchone() == (files,)
    assert list((archive.world.directory / "cache/thumbs").glob("*/*.webp"))
    assert care_due_in(archive.config(**wanted), datetime.now(UTC)) == []


def test_runs_and_care_are_attributed_to_the_actor_of_the_config(archive: Archive) -> None:
    archive.world.settings["archive"] = 'actor = "nightly@records"'
    archive.world.backup()
    archive.take("verify", verify=LONG)
    query = "SELECT actor FROM runs WHERE id > 1 UNION ALL SELECT actor FROM care"
    assert archive.world.column(query) == ["nightly@records", "nightly@records"]


def test_while_another_program_writes_nothing_is_done(archive: Archive) -> None:
    with archive_lock(archive.world.directory), pytest.raises(ArchiveLocked):
        archive.take("verify", verify=LONG)
    assert archive.logged() == []


def test_without_time_nothing_is_read_and_the_next_time_all_is(archive: Archive) -> None:
    short = timedelta(microseconds=1)
    (first,) = archive.take("verify", verify=short)
    assert (first.entry.outcome, first.entry.files) == ("partial", 0)
    assert first.left == len(archive.files())
    (second,) = archive.take("verify", verify=LONG)
    assert (second.entry.outcome, second.left) == ("done", 0)


def test_what_was_done_before_it_was_killed_is_not_done_again(archive: Archive) -> None:
    wanted = {"verify": LONG, "copy_to": archive.copy}
    parts = Care(archive.config(**wanted), {}).take(("verify", "copy"))
    assert isinstance(parts, Iterator)
    next(parts)
    parts.close()  # type: ignore[attr-defined]  # it is a generator
    assert care_due_in(archive.config(**wanted), datetime.now(UTC)) == ["copy"]


def test_damage_is_found_and_logged_and_does_not_keep_the_others_from_being_done(
    archive: Archive,
) -> None:
    archive.files()[0].write_bytes(b"other bytes")
    results = archive.take("verify", "copy", verify=LONG, copy_to=archive.copy)
    assert [type(result.error) for result in results] == [DamageFound, DamageFound]
    assert [result.entry.damaged for result in results] == [1, 1]
    assert archive.logged() == [("verify", "damaged"), ("copy", "damaged")]


def test_an_archive_that_was_put_back_is_noticed_at_night(archive: Archive) -> None:
    """By what was signed last, as archiver verify does."""
    kept = archive.world.folder / "kept"
    shutil.copytree(archive.world.directory, kept)
    archive.world.next_night()
    archive.world.backup()
    (sound,) = archive.take("verify", verify=LONG)
    assert sound.error is None
    shutil.rmtree(archive.world.directory)
    kept.rename(archive.world.directory)
    (found,) = archive.take("verify", verify=LONG)
    assert isinstance(found.error, DamageFound)
    assert found.entry.damaged > 0


def test_a_copy_that_fails_is_logged_with_its_code_and_the_verify_is_done(archive: Archive) -> None:
    (archive.world.folder / "file").write_text("in place of a folder")
    results = archive.take("copy", "verify", verify=LONG, copy_to=archive.world.folder / "file")
    assert results[0].error is not None
    assert archive.logged() == [("copy", "failed"), ("verify", "done")]
    (code,) = archive.world.column("SELECT error_code FROM care WHERE what = 'copy'")
    assert code == results[0].entry.error_code


def test_only_pictures_that_came_since_get_thumbnails(archive: Archive) -> None:
    (first,) = archive.take("thumbnails", thumbnails=LONG)
    assert first.entry.files > 0
    (second,) = archive.take("thumbnails", thumbnails=LONG)
    assert second.entry.files == 0
    (archive.world.directory / "cache").rename(archive.world.folder / "cache")
    with reader(archive.world.directory) as connection:
        (last,) = newest_care(connection)
    assert (last.what, last.outcome) == ("thumbnails", "done")
