"""archiver backup, where it warns of the disk; what it does is told in tests/backup."""

from pathlib import Path

import pytest

from archiver.cli import main
from support.nights import nights


def test_a_disk_of_a_network_is_warned_of_unless_asked_for_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("archiver.disks.risky_kind", lambda directory: "nfs4")
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(1)
        world.config()
        for option, is_warned in ((["-q"], False), ([], True)):
            with pytest.raises(SystemExit) as ended:
                main([*option, "--config", str(tmp_path / "archive.toml"), "backup"])
            assert not ended.value.code
            said = " ".join(capsys.readouterr().err.split())
            assert ("kind nfs4" in said and "from one machine only" in said) is is_warned
