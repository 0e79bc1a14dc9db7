"""What was signed last is kept beside the config, privately, for several archives."""

import shutil
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from archiver.archive.checkpoints import origin
from archiver.archive.database import reader
from archiver.errors import SecretError
from archiver.evidence.signed_heads import signed_heads
from archiver.evidence.signing_keys import keys_on_record
from support.meeting import runs
from support.sealed import SealedArchive, make_sealed

pytestmark = pytest.mark.slow

ROOT = "O80jm5ypzK6Af0mg/DYPOzg/OGg8qIi4gTYbUd6NhUw="


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    config = SealedArchive(tmp_path).config()
    heads = signed_heads(config)
    assert heads.size("archiver/1") == 0
    with heads.changing():
        heads.notes["archiver/1"] = f"archiver/1\n7\n{ROOT}\n"
        heads.delivered["archiver/1"] = {"mail me": 5}
        heads.stamped["archiver/1"] = {"mail me": (5, ["0a1b2c3d"])}
    assert heads.path.stat().st_mode & 0o777 == 0o600
    again = signed_heads(config)
    assert again == heads
    assert again.size("archiver/1") == 7


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"checkpoints": {"a": "b"}, "delivered": {}}'])
def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path, text: str) -> None:
    sealed = make_sealed(tmp_path / "here", 1)
    heads = signed_heads(sealed.config())
    heads.path.write_text(text, "utf-8")
    with pytest.raises(SecretError, match="Put it back from a backup"):
        signed_heads(sealed.config())
    with pytest.raises(SecretError, match="Put it back from a backup"), heads.changing():
        pytest.fail("it would be written over")
    assert heads.path.read_text("utf-8") == text


def test_where_it_cannot_be_written_that_is_an_error(tmp_path: Path) -> None:
    heads = signed_heads(SealedArchive(tmp_path).config())
    heads.path = tmp_path / "archive.toml" / "signed.json"
    with pytest.raises(SecretError, match="cannot be written"), heads.changing():
        pytest.fail("there is no such folder")


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    heads = signed_heads(SealedArchive(tmp_path).config())

    def fail() -> None:
        heads.delivered["archiver/1"] = {"mail me": 5}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), heads.changing():
        fail()
    assert not heads.path.exists()


def test_one_program_at_a_time_changes_it_and_keeps_what_another_has_added(tmp_path: Path) -> None:
    config = SealedArchive(tmp_path).config()
    first, second = signed_heads(config), signed_heads(config)
    with first.changing(), pytest.raises(Timeout):
        FileLock(f"{first.path}.lock", timeout=0).acquire()
    with second.changing():
        second.delivered["archiver/2"] = {"mail me": 2}
    with first.changing():
        first.delivered["archiver/1"] = {"mail me": 1}
    assert signed_heads(config).delivered.keys() == {"archiver/1", "archiver/2"}


def test_two_archives_of_one_config_that_are_signed_at_once_are_both_on_record(
    tmp_path: Path,
) -> None:
    """Both runs see that there is no key, and read what was signed, before either writes."""
    first, second = SealedArchive(tmp_path / "first"), SealedArchive(tmp_path / "second")
    for sealed in (first, second):
        sealed.folder.mkdir()
    config = SealedArchive(tmp_path, "").config()
    with runs(config.path, first.folder, second.folder) as both:
        for lock in ("archive.signing-key", "archive.signed.json"):
            assert [run.next() for run in both] == [lock, lock]
            for run in both:
                run.go_on()
                if lock == "archive.signed.json":
                    assert run.next() is None
    public, logs = set(), set()
    for sealed in (first, second):
        with reader(sealed.directory) as connection:
            public |= {key.public for key in keys_on_record(connection)}
            logs.add(origin(connection))
    assert len(public) == 1
    assert signed_heads(config).notes.keys() == logs
    assert len(logs) == 2


def test_of_two_copies_of_an_archive_that_are_signed_at_once_one_is(tmp_path: Path) -> None:
    sealed = make_sealed(tmp_path / "here")
    shutil.copytree(sealed.directory, tmp_path / "copy" / "archive")
    config = sealed.config("")
    with runs(config.path, sealed.folder, tmp_path / "copy") as both:
        assert [run.next() for run in both] == ["archive.signed.json"] * 2
        problems = []
        for run in both:
            run.go_on()
            problems.append(run.next())
    assert problems[0] is None
    assert "signed meanwhile" in problems[1]
    assert sealed.findings() == []
