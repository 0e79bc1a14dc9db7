"""archiver du, on an archive of a few posts."""

import json
from pathlib import Path

import pytest

from archiver.cli import main
from archiver_ayrshare.demo.specs import photo
from support.nights import nights


def test_it_shows_space_by_account_year_and_kind_and_how_long_the_disk_lasts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").publish("One", media=[photo()])
        world.backup()
        config = ("--config", str(tmp_path / "archive.toml"))
        with pytest.raises(SystemExit) as ended:
            main([*config, "du"])
        assert not ended.value.code
        said = capsys.readouterr().out
        for head in ("ACCOUNT", "YEAR", "KIND", "TOTAL"):
            assert f"{head} " in said
        for name in ("threads ", "2026 ", "image ", "all files, each once ", "database "):
            assert name in said
        assert "after five weeks of runs" in " ".join(said.split())
        with pytest.raises(SystemExit):
            main([*config, "du", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["parts"] == [
        {"account": "threads", "year": "2026", "kind": "image", "files": 1, "size": found["size"]}
    ]
    assert found["room"] > 0
    assert found["growth"] is None
