"""What is kept of the settings, so that a broken config can be told."""

import os
from pathlib import Path

import pytest

from archiver.config import load_config
from archiver.errors import SecretError
from archiver.unattended.last_settings import keep_settings, last_settings, settings_path

CONFIG = """
[archive]
directory = "archive"

[network]
proxy = "http://proxy.example:3128"
proxy_credentials = "env:PROXY_LOGIN"

[notify]
on_failure = ["env:NTFY_URL", "json://user:canary-password@127.0.0.1/"]
ping = "file:ping"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "archive.toml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


def test_the_settings_are_those_of_the_config_without_accounts(path: Path) -> None:
    config = load_config(path)
    keep_settings(config)
    found = last_settings(path)
    assert found is not None
    assert found.archive.directory == config.archive.directory
    assert found.network == config.network
    assert found.notify.on_failure == config.notify.on_failure[:1], "by reference only"
    assert found.notify.ping == config.notify.ping
    assert found.health.min_free == config.health.min_free
    assert found.accounts == ()


def test_a_secret_is_not_kept_and_the_file_is_private(path: Path) -> None:
    keep_settings(load_config(path))
    kept = settings_path(path)
    assert "canary" not in kept.read_text()
    assert os.name != "posix" or kept.stat().st_mode & 0o077 == 0


def test_what_stays_the_same_is_not_written_again(path: Path) -> None:
    keep_settings(load_config(path))
    before = settings_path(path).stat().st_ino
    keep_settings(load_config(path))
    assert settings_path(path).stat().st_ino == before


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"on_failure": 3}'])
def test_a_damaged_file_counts_as_nothing(path: Path, text: str) -> None:
    settings_path(path).write_text(text)
    assert last_settings(path) is None


def test_where_nobody_is_to_be_told_nothing_is_kept(path: Path) -> None:
    path.write_text('[archive]\ndirectory = "archive"\n')
    keep_settings(load_config(path))
    assert not settings_path(path).exists()


def test_a_literal_that_somebody_wrote_into_the_file_is_not_used(path: Path) -> None:
    keep_settings(load_config(path))
    kept = settings_path(path)
    kept.write_text(kept.read_text().replace("env:NTFY_URL", "json://127.0.0.1/"))
    found = last_settings(path)
    assert found is not None
    with pytest.raises(SecretError):
        found.notify.on_failure[0].reveal()
