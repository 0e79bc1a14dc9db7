"""What verify reads, what it notes, and what it says of a database that cannot be opened."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from functools import partial
from io import RawIOBase
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.database import DATABASE, archive_lock, reader, writer
from archiver.errors import DamageFound, StorageError
from archiver.evidence import verify as module
from archiver.evidence.database import check_database
from archiver.evidence.files import MediaRow, Scope, rows_of
from archiver.evidence.findings import Finding, Verified
from archiver.evidence.verify import NEW_DATABASE, VerificationDates, open_archive, verify
from archiver.media.folder_store import FolderStore
from archiver.media.store import ByteRange

NOW = "2026-11-23T00:00:00.000Z"


def open_writer(archive: Path) -> Callable[[], AbstractContextManager[sqlite3.Connection]]:
    return partial(writer, archive, create=False)


def dates(archive: Path) -> list[str | None]:
    with reader(archive) as connection:
        return [date for (date,) in connection.execute("SELECT verified_at FROM media ORDER BY 1")]


def test_everything_is_read_and_dated(archive: Path) -> None:
    totals: list[int] = []
    sizes: list[int] = []
    result = verify(archive, Scope(), NOW, on_total=totals.append, on_file=sizes.append)
    files = [path for path in archive.glob("media/*/*") if path.is_file()]
    assert result.findings == []
    assert (result.files, result.left) == (len(files), 0)
    assert result.size == sum(sizes) == sum(path.stat().st_size for path in files)
    assert totals == [result.size]
    assert dates(archive) == [NOW] * result.files


class WatchedStore(FolderStore):
    """Says when a file is opened."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.opened = threading.Event()

    def open(self, path: str, part: ByteRange | None = None, /) -> RawIOBase:
        self.opened.set()
        return super().open(path, part)


def test_the_first_files_are_read_while_the_database_is_checked(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = WatchedStore(archive)

    def check(*args: Any) -> None:
        assert store.opened.wait(60)
        check_database(*args)

    monkeypatch.setattr(module, "check_database", check)
    result = verify(archive, Scope(), NOW, store=store)
    assert result.findings == []
    assert result.files == len(dates(archive))


def test_a_time_limit_is_for_files_alone(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = WatchedStore(archive)

    def check(*args: Any) -> None:
        check_database(*args)
        assert not store.opened.is_set()

    monkeypatch.setattr(module, "check_database", check)
    result = verify(archive, Scope(seconds=3600), NOW, store=store)
    assert result.files == len(dates(archive))


def test_files_that_cannot_be_listed_yet_are_read_when_the_database_was_checked(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_first = [False, True]

    def rows(connection: sqlite3.Connection, names: list[bytes]) -> Iterator[MediaRow]:
        found = rows_of(connection, names)
        if is_first.pop():
            yield next(found)  # begun, and to be dropped
            raise sqlite3.OperationalError("Could not decode to UTF-8")
        yield from found

    monkeypatch.setattr(module, "rows_of", rows)
    result = verify(archive, Scope(), NOW)
    assert result.findings == []
    assert result.files == len(dates(archive))
    assert not is_first


def test_a_damaged_file_gets_no_date(archive: Path) -> None:
    path = next(path for path in archive.glob("media/*/*") if path.is_file())
    path.write_bytes(b"other bytes")
    result = verify(archive, Scope(), NOW)
    assert [finding.what for finding in result.damage] == ["changed_file"]
    assert dates(archive) == [None, *[NOW] * (result.files - 1)]


def test_a_part_reads_its_files_and_counts_the_others(archive: Path) -> None:
    with archive_lock(archive):  # so that none of them writes what it has read
        parts = [verify(archive, Scope(part, 3), NOW) for part in (1, 2, 3)]
        whole = verify(archive, Scope(), NOW)
    assert sum(part.files for part in parts) == whole.files
    assert all(part.left == whole.files - part.files for part in parts)
    assert sum(part.rows for part in parts) == whole.rows


def test_a_file_on_nobodys_account_is_a_leftover(archive: Path) -> None:
    (archive / "tmp").mkdir(exist_ok=True)
    (archive / "tmp" / "a.part").touch()
    (archive / "media" / "odd").write_bytes(b"?")
    found = {(f.what, f.subject) for f in verify(archive, Scope(), NOW).findings}
    assert found == {("leftover", "tmp/a.part"), ("leftover", "media/odd")}


def test_while_a_backup_holds_the_lock_all_is_read_and_no_date_is_written(archive: Path) -> None:
    with archive_lock(archive):
        result = verify(archive, Scope(), NOW)
    assert result.damage == []
    assert set(dates(archive)) == {None}


def test_dates_wait_until_the_lock_is_free(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DATES_AT_ONCE", 1)
    with reader(archive) as connection:
        first, second = (name for (name,) in connection.execute("SELECT sha256 FROM media LIMIT 2"))
    with VerificationDates(open_writer(archive), NOW, Verified()) as written:
        with archive_lock(archive):
            written.add(first)
        assert set(dates(archive)) == {None}
        written.add(second)
        assert dates(archive).count(NOW) == 2


def test_a_damaged_database_is_not_written_to(archive: Path) -> None:
    damaged = Verified(findings=[Finding("database", DATABASE, "damaged")])
    with reader(archive) as connection:
        (name,) = connection.execute("SELECT sha256 FROM media").fetchone()
    with VerificationDates(open_writer(archive), NOW, damaged) as written:
        written.add(name)
    assert set(dates(archive)) == {None}


def test_a_search_index_that_says_something_else_is_damage(archive: Path) -> None:
    with closing(sqlite3.connect(archive / DATABASE, isolation_level=None)) as connection:
        connection.execute("DELETE FROM posts_fts WHERE rowid = (SELECT min(id) FROM posts)")
    found = [finding.what for finding in verify(archive, Scope(), NOW).damage]
    assert found == ["search_index"]


def test_without_an_archive_there_is_nothing_to_verify(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no archive"), open_archive(tmp_path):
        pass


def test_an_emptied_database_beside_its_media_is_damage(archive: Path) -> None:
    for path in archive.glob(f"{DATABASE}*"):
        path.unlink()
    (archive / DATABASE).touch()
    with pytest.raises(DamageFound, match="cannot be opened"), open_archive(archive):
        pass


def test_a_database_of_other_bytes_is_damage(archive: Path) -> None:
    (archive / DATABASE).write_bytes(b"no database " * 1_000)
    with pytest.raises(DamageFound, match="cannot be opened") as caught, open_archive(archive):
        pass
    assert "last archiver copy" in (caught.value.hint or "")


def test_a_copy_that_was_never_finished_is_no_damage(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(archive / DATABASE, copy / NEW_DATABASE)
    with pytest.raises(StorageError, match="unfinished copy") as caught, open_archive(copy):
        pass
    assert caught.value.code == "unfinished"


def test_an_error_in_the_block_is_not_taken_for_one_of_opening(archive: Path) -> None:
    with pytest.raises(StorageError, match="of another archive"), open_archive(archive):
        raise StorageError("It is of another archive", code="damaged")
