"""The key that signs: made once, private, outside the archive, and every change of it on record."""

import os
import sys
from pathlib import Path

import pytest

from archiver.archive.database import writer
from archiver.errors import ConfigError, SecretError
from archiver.evidence.signing_keys import (
    Reason,
    can_sign,
    change_key,
    current_key,
    key_path,
    keys_on_record,
    load_key,
    load_library,
)
from support.sealed import NOW, SealedArchive, make_sealed


@pytest.fixture
def sealed(tmp_path: Path) -> SealedArchive:
    return make_sealed(tmp_path / "here", 1)


def test_the_first_backup_makes_a_key_that_only_its_owner_can_read(sealed: SealedArchive) -> None:
    path = key_path(sealed.config())
    assert path == sealed.folder / "archive.signing-key"
    assert path.stat().st_mode & 0o777 == 0o600
    sealed.night()
    with writer(sealed.directory) as connection:
        assert [key.reason for key in keys_on_record(connection)] == ["first"]


def test_beside_a_config_that_is_in_the_archive_there_is_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    archive = SealedArchive(tmp_path)
    config = archive.config()
    inside = archive.directory / "archive.toml"
    archive.directory.mkdir()
    inside.write_text('[archive]\ndirectory = "."\n', "utf-8")
    from archiver.config import load_config

    path = key_path(load_config(inside))
    assert path is not None
    assert archive.directory not in path.parents
    assert config.path != inside
    named = archive.config(f'key = "file:{archive.directory / "key"}"')
    with pytest.raises(ConfigError, match="is in the archive"):
        key_path(named)


@pytest.mark.parametrize("reason", ["rotated", "lost", "compromised"])
def test_a_change_is_on_record_and_all_checkpoints_stay_valid(
    sealed: SealedArchive, reason: Reason
) -> None:
    config = sealed.config()
    old = load_key(config)
    path = key_path(config)
    assert path is not None
    if reason == "lost":
        path.unlink()
    with writer(sealed.directory) as connection:
        key = change_key(config, connection, reason, NOW)
        first, second = keys_on_record(connection)
        assert current_key(config, connection, NOW) == key == load_key(config) != old
    assert (second.reason, second.public) == (reason, key.public)
    assert second.note.count("\u2014") == (2 if reason == "rotated" else 1)
    assert second.since > first.since
    sealed.night()
    assert sealed.findings() == []


def test_a_key_that_is_missing_is_not_made_again_by_itself(sealed: SealedArchive) -> None:
    path = key_path(sealed.config())
    assert path is not None
    path.unlink()
    assert "archiver key --lost" in (sealed.night().problem or "")
    assert not path.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes of files are of POSIX")
def test_a_key_that_others_can_read_signs_nothing(sealed: SealedArchive) -> None:
    path = key_path(sealed.config())
    assert path is not None
    path.chmod(0o644)
    assert "can be read by other users" in (sealed.night().problem or "")


def test_a_file_that_is_no_key_is_an_error_that_shows_nothing_of_it(sealed: SealedArchive) -> None:
    path = key_path(sealed.config())
    assert path is not None
    path.write_text("my secret", "ascii")
    with pytest.raises(SecretError, match="There is no signing key") as raised:
        load_key(sealed.config())
    assert "my secret" not in str(raised.value)


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_change_that_was_killed_is_finished_or_undone(
    sealed: SealedArchive, monkeypatch: pytest.MonkeyPatch, is_recorded: bool
) -> None:
    """Killed after the new key was saved: before it is on record, and after that."""
    config = sealed.config()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    name = "_finish_change" if is_recorded else "_record"
    with writer(sealed.directory) as connection:
        old = current_key(config, connection, NOW)
        with monkeypatch.context() as patched:
            patched.setattr(f"archiver.evidence.signing_keys.{name}", killed)
            with pytest.raises(KeyboardInterrupt):
                change_key(config, connection, "lost", NOW)
        key = current_key(config, connection, NOW)
        assert (key == old) != is_recorded
    assert not list(sealed.folder.glob("*.new"))


def test_a_key_may_be_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_sealed(tmp_path / "made", 1)
    path = key_path(made.config())
    assert path is not None
    monkeypatch.setenv("SIGNING_KEY", path.read_text("ascii"))
    other = SealedArchive(tmp_path / "other")
    other.folder.mkdir()
    config = other.config('key = "env:SIGNING_KEY"')
    assert key_path(config) is None
    assert other.night(config).problem is None
    with writer(other.directory) as connection:
        with pytest.raises(ConfigError, match="in files only"):
            change_key(config, connection, "rotated", NOW)
        assert (
            keys_on_record(connection)[0].public_key
            == (load_key(made.config()) or pytest.fail("it has a key")).public_text
        )


def test_without_the_extra_there_is_nothing_to_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert not can_sign()
    load_library()
