"""archiver backup, where it warns of the disk; what it does is told in tests/backup."""

from pathlib import Path

import pytest

from archiver.cli import main
from support.nights import nights


def test_a_disk_of_a_network_is_warned_of_unless_asked_for_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("archiver.disks.risky_file_system", lambda directory: "nfs4")
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(1)
        world.config()
        for option, is_warned in ((["-q"], False), ([], True)):
            with pytest.raises(SystemExit) as ended:
                main([*option, "--config", str(tmp_path / "archive.toml"), "backup"])
            assert not ended.value.code
            said = " ".join(capsys.readouterr().err.split())
            assert ("kind nfs4" in said and "from one machine only" in said) is is_warned


def test_the_first_backup_ends_with_what_to_look_at_and_the_second_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(3)
        world.url_life *= 10_000
        world.config()
        config = str(tmp_path / "archive.toml")
        said = []
        for _ in range(2):
            with pytest.raises(SystemExit):
                main(["--config", config, "backup", "--now"])
            said.append(capsys.readouterr().out)
    first, second = said
    assert f"archiver --config {config} browse" in first
    assert f"archiver --config {config} schedule install" in first
    assert "docs/scheduling.md" in first
    assert "browse" not in second


def test_a_quiet_run_with_new_posts_prints_nothing_at_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(3)
        world.url_life *= 10_000
        world.dates = False  # a clock that is wrong would be told
        world.config()
        config = str(tmp_path / "archive.toml")
        with pytest.raises(SystemExit) as ended:
            main(["-q", "--config", config, "backup"])
        assert not ended.value.code
        assert capsys.readouterr() == ("", "")

        world.given_key = "wrong"
        world.config()
        with pytest.raises(SystemExit) as ended:
            main(["-q", "--config", config, "backup", "--now"])
        assert ended.value.code == 5
        said = " ".join(capsys.readouterr().out.split())
        assert "Error: threads: Ayrshare does not accept the API key" in said
        assert f"It was read from the file {tmp_path / 'api-key'}" in said
