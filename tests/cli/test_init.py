"""archiver init writes a config once, for its owner only."""

import os
import stat
from pathlib import Path

import pytest

from archiver.config import load_config
from support.running import Cli


def test_it_writes_the_example(cli: Cli) -> None:
    done = cli("init")
    assert done.exit_code == 0
    assert done.stdout == "Wrote archive.toml\n"
    assert "archiver accounts --discover >> archive.toml\n" in done.stderr
    assert "mastodon without a key" in done.stderr
    assert max(map(len, done.stderr.splitlines())) <= 80
    assert "archiver browse" in done.stderr
    assert "archiver backup\n" in done.stderr
    assert load_config(Path("archive.toml")).accounts == ()


def test_it_writes_into_a_new_folder(cli: Cli, tmp_path: Path) -> None:
    done = cli("init", tmp_path / "my archive")
    assert done.exit_code == 0
    assert (tmp_path / "my archive/archive.toml").exists()
    assert f"--config '{tmp_path}/my archive/archive.toml'" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="files have no such modes here")
def test_it_is_private(cli: Cli) -> None:
    cli("init")
    assert stat.S_IMODE(Path("archive.toml").stat().st_mode) == 0o600


def test_it_never_overwrites(cli: Cli) -> None:
    Path("archive.toml").write_text("mine")
    done = cli("init")
    assert done.exit_code == 2
    assert "archive.toml is there already" in done.stderr
    assert Path("archive.toml").read_text() == "mine"


def test_it_does_not_write_through_a_dangling_link(cli: Cli, tmp_path: Path) -> None:
    Path("archive.toml").symlink_to(tmp_path / "target")
    assert cli("init").exit_code == 2
    assert not (tmp_path / "target").exists()


def test_a_file_in_place_of_the_folder(cli: Cli) -> None:
    Path("file").touch()
    done = cli("init", "file")
    assert done.exit_code == 2
    assert "file" in done.stderr
    assert "bug" not in done.stderr
