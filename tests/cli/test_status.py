"""archiver status, where it says what the archive runs on; the rest is told in test_first_steps."""

import json
import sqlite3
from pathlib import Path

import pytest

from archiver.archive.database import writer
from support.running import Cli


@pytest.mark.parametrize(("version", "is_warned"), [((3, 51, 2), True), ((3, 51, 3), False)])
def test_a_sqlite_with_a_fault_is_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], is_warned: bool
) -> None:
    Path("archive.toml").write_text('[archive]\ndirectory = "archive"\n')
    with writer(Path("archive")):
        pass
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert cli("status").stderr == "", "nobody can do anything about it"
    done = cli("-v", "status")
    assert done.exit_code == 0
    assert ("3.51.3" in done.stderr) is is_warned
    assert "SQLite" not in done.stdout
    assert (json.loads(cli("status", "--json").stdout)["sqlite"] is not None) is is_warned
