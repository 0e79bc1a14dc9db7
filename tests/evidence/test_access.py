"""Who may do what with the files of an archive: modes, links, read-only disks."""

import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from archiver.archive.database import DATABASE, LOCK, SQLITE_SUFFIXES, archive_lock, reader, writer
from archiver.archive.runs import begin_run
from archiver.cli import main
from archiver.errors import StorageError
from archiver.evidence.copy import copy_archive
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify

pytestmark = pytest.mark.slow

NOBODY = 65534
NOW = "2026-11-23T00:00:00.000Z"


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> set[tuple[bool, int]]:
    """Whether it is a folder, and its mode, of everything in a folder and itself."""
    found = [folder, *folder.rglob("*")]
    return {(path.is_dir(), stat.S_IMODE(path.lstat().st_mode)) for path in found}


def test_nobody_else_can_read_an_archive_made_under_an_open_umask(
    tmp_path: Path, archive: Path, open_umask: None
) -> None:
    with writer(tmp_path / "new") as connection:
        connection.execute("SELECT 1")
        assert modes(tmp_path / "new") == {(True, 0o700), (False, 0o600)}
    copy_archive(archive, tmp_path / "copy")
    verify(tmp_path / "copy", Scope(), NOW)
    assert modes(tmp_path / "copy") == {(True, 0o700), (False, 0o600)}


@pytest.mark.parametrize("name", [DATABASE, LOCK, *(f"{DATABASE}{end}" for end in SQLITE_SUFFIXES)])
def test_a_link_in_place_of_one_of_our_files_is_refused(
    archive: Path, tmp_path: Path, name: str
) -> None:
    target = tmp_path / "victim"
    target.write_bytes(b"precious")
    (archive / name).unlink(missing_ok=True)
    (archive / name).symlink_to(target)
    for opener in (writer, reader):
        with pytest.raises(StorageError, match="not a regular file"), opener(archive):
            pass
    assert target.read_bytes() == b"precious"


def test_a_pipe_in_place_of_the_journal_blocks_nothing(archive: Path) -> None:
    os.mkfifo(archive / f"{DATABASE}-journal")
    for opener in (writer, reader):
        with pytest.raises(StorageError, match="not a regular file"), opener(archive):
            pass


@pytest.fixture
def half_written(archive: Path) -> Path:
    """The archive as a kill leaves it that came while its database was without a log."""
    path = archive / DATABASE
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        connection.execute("UPDATE posts SET text = 'half'")
        connection.execute("UPDATE responses SET headers = hex(zeroblob(50000))")
        shutil.copy(f"{path}-journal", archive / "kept")
        shutil.copy(path, archive / "struck")
    (archive / "struck").replace(path)
    (archive / "kept").replace(f"{path}-journal")
    return archive


def test_what_was_half_written_without_a_log_is_undone_before_it_is_read(
    half_written: Path,
) -> None:
    with reader(half_written) as connection:
        assert connection.execute("SELECT 1 FROM posts WHERE text = 'half'").fetchone() is None
    assert verify(half_written, Scope(), NOW).findings == []


def test_what_was_half_written_is_not_read_while_another_run_holds_the_lock(
    half_written: Path,
) -> None:
    with (
        archive_lock(half_written),
        pytest.raises(StorageError, match="A write to the archive in") as caught,
        reader(half_written),
    ):
        pass
    assert caught.value.code == "unfinished"
    assert "in use" in str(caught.value)


@pytest.fixture
def forbidden(good_archive: Path) -> Iterator[tuple[Path, Path]]:
    """An archive with a file in it that we may not read; nobody is, while a test runs, who may."""
    with TemporaryDirectory() as name:
        archive = Path(shutil.copytree(good_archive, Path(name) / "archive"))
        verify(archive, Scope(), NOW)  # whoever we are then may not be allowed to import
        file = next(archive.glob("media/*/*"))
        file.chmod(0)
        is_root = os.geteuid() == 0
        if is_root:
            for path in (Path(name), archive, *archive.rglob("*")):
                os.chown(path, NOBODY, -1)
            os.seteuid(NOBODY)
        try:
            yield archive, file
        finally:
            if is_root:
                os.seteuid(0)


def test_a_file_that_may_not_be_read_is_not_damaged_and_never_repaired(
    forbidden: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    archive, file = forbidden
    result = verify(archive, Scope(), NOW)
    assert [(f.what, f.subject) for f in result.findings] == [
        ("unreadable", file.relative_to(archive).as_posix())
    ]
    for options, code in (((), 6), (("--repair",), 6), (("--json",), 6)):
        with pytest.raises(SystemExit) as ended:
            main(["verify", str(archive), *options])
        assert ended.value.code == code
    said = capsys.readouterr()
    assert "1 could not be read" in said.out
    assert "all intact" not in said.out
    assert "Permission denied" in said.err
    assert not (archive / "quarantine").exists()
    with reader(archive) as connection:
        assert (
            connection.execute("SELECT count(*) FROM media WHERE lost_at IS NOT NULL").fetchone()[0]
            == 0
        )


def test_a_file_that_may_not_be_read_is_missing_from_a_copy_which_says_so(
    forbidden: tuple[Path, Path],
) -> None:
    archive, file = forbidden
    copied = copy_archive(archive, archive.parent / "copy")
    assert (copied.done, copied.damage) == (True, [])
    assert [f.subject for f in copied.unreadable] == [file.relative_to(archive).as_posix()]


@pytest.fixture
def frozen(archive: Path, tmp_path: Path) -> Iterator[Path]:
    """The archive on a read-only disk."""
    with read_only(archive, tmp_path / "disk") as place:
        yield place


@contextmanager
def read_only(archive: Path, place: Path) -> Iterator[Path]:
    place.mkdir()
    for words in (["--bind", str(archive)], ["-o", "remount,bind,ro"]):
        if subprocess.run(
            ["mount", *words, str(place)], capture_output=True, check=False
        ).returncode:
            subprocess.run(["umount", str(place)], capture_output=True, check=False)
            pytest.skip("may not mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_on_a_read_only_disk_all_is_read_and_nothing_written(frozen: Path) -> None:
    before = sorted(path.name for path in frozen.iterdir())
    result = verify(frozen, Scope(), NOW)
    assert result.damage == []
    assert result.files > 5
    assert [finding.what for finding in result.findings] == ["unchecked"]
    assert sorted(path.name for path in frozen.iterdir()) == before


def test_what_was_half_written_is_not_read_from_a_read_only_disk(
    half_written: Path, frozen: Path
) -> None:
    with pytest.raises(StorageError, match="A write to the archive in"):
        verify(frozen, Scope(), NOW)


@contextmanager
def with_rows_in_its_log(archive: Path) -> Iterator[Path]:
    """What a run that is killed leaves: the newest rows are in the log only."""
    with writer(archive) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        begin_run(connection, NOW, "killed", {})
        yield Path(shutil.copytree(archive, archive.with_name("killed")))


@pytest.mark.parametrize("shared", [True, False])
def test_what_a_killed_run_left_in_its_log_is_read_on_a_read_only_disk(
    archive: Path, tmp_path: Path, shared: bool
) -> None:
    with with_rows_in_its_log(archive) as killed:
        pass
    if not shared:
        (killed / f"{DATABASE}-shm").unlink()
    with read_only(killed, tmp_path / "disk") as disk:
        with reader(disk) as connection:
            newest = connection.execute("SELECT version FROM runs ORDER BY id DESC").fetchone()
            assert newest == ("killed",)
        assert verify(disk, Scope(), NOW).damage == []
        assert copy_archive(disk, tmp_path / "copy").done
    with reader(tmp_path / "copy") as connection:
        assert connection.execute("SELECT max(version) FROM runs").fetchone() == ("test",)
        query = "SELECT count(*) FROM runs WHERE version = 'killed'"
        assert connection.execute(query).fetchone() == (1,)


def test_the_log_of_another_database_is_refused_and_the_archive_left_as_it_is(
    archive: Path, tmp_path: Path, good_archive: Path
) -> None:
    stranger = tmp_path / "stranger.db"
    with closing(sqlite3.connect(stranger)) as connection:
        connection.execute("PRAGMA page_size = 8192")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE strange (x)")
        connection.commit()
        shutil.copyfile(f"{stranger}-wal", archive / f"{DATABASE}-wal")
    check_refused(archive, good_archive)


def test_the_log_of_another_archive_is_refused_too(
    archive: Path, tmp_path: Path, good_archive: Path
) -> None:
    with writer(tmp_path / "other") as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        begin_run(connection, NOW, "other", {})
        shutil.copyfile(tmp_path / f"other/{DATABASE}-wal", archive / f"{DATABASE}-wal")
    check_refused(archive, good_archive)


def test_on_a_read_only_disk_too(archive: Path, tmp_path: Path) -> None:
    with writer(tmp_path / "other") as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        begin_run(connection, NOW, "other", {})
        shutil.copyfile(tmp_path / f"other/{DATABASE}-wal", archive / f"{DATABASE}-wal")
    with (
        read_only(archive, tmp_path / "disk") as disk,
        pytest.raises(StorageError, match=f"beside {disk / DATABASE} belongs"),
        reader(disk),
    ):
        pass


def check_refused(archive: Path, good_archive: Path) -> None:
    for opener in (reader, writer, reader):
        with pytest.raises(StorageError, match=f"{DATABASE}-wal .* another"), opener(archive):
            pass
    assert (archive / DATABASE).read_bytes() == (good_archive / DATABASE).read_bytes()
    (archive / f"{DATABASE}-wal").unlink()
    assert verify(archive, Scope(), NOW).damage == []


def test_damage_on_a_read_only_disk_is_found(archive: Path, frozen: Path) -> None:
    path = next(archive.glob("media/*/*"))
    path.write_bytes(path.read_bytes()[:-1])
    assert [finding.what for finding in verify(frozen, Scope(), NOW).damage] == ["changed_file"]


def test_a_read_only_disk_can_be_copied_from(frozen: Path, tmp_path: Path) -> None:
    assert copy_archive(frozen, tmp_path / "copy").done
    assert verify(tmp_path / "copy", Scope(), NOW).findings == []


@pytest.mark.parametrize("kind", ["archive", "copy"])
def test_a_database_held_by_another_program_is_read_and_no_damage(
    archive: Path, tmp_path: Path, kind: str
) -> None:
    copy_archive(archive, tmp_path / "copy")  # has no log, and other locks
    connection = sqlite3.connect(tmp_path / kind / DATABASE, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    result = verify(tmp_path / kind, Scope(), NOW)
    connection.close()
    assert [finding.what for finding in result.findings] == ["unchecked"]
    assert result.files > 5


@pytest.mark.parametrize(
    "change", ["DROP TABLE posts_fts", "DELETE FROM posts_fts_data WHERE id > 10"]
)
def test_a_search_index_that_is_gone_is_damage(archive: Path, change: str) -> None:
    connection = sqlite3.connect(archive / DATABASE)
    connection.execute(change)
    connection.commit()
    connection.close()
    found = {finding.what for finding in verify(archive, Scope(), NOW).damage}
    assert found & {"search_index", "schema"}
