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


def test_the_reason_why_videos_behind_pages_are_not_fetched_is_shown(cli: Cli) -> None:
    account = '[[accounts]]\nname = "clips"\nplatform = "tiktok"\nsource = "ayrshare"\nown = true\n'
    Path("archive.toml").write_text(f'[archive]\ndirectory = "archive"\n{account}')
    with writer(Path("archive")):
        pass
    why = 'own = true has no effect: resolve in [media] does not list "tiktok"'
    done = cli("status")
    assert done.exit_code == 0
    assert "Videos behind their pages:\nclips: " in done.stdout
    assert why in " ".join(done.stdout.split())
    assert json.loads(cli("status", "--json").stdout)["resolvers"] == [
        {"account": "clips", "notice": why}
    ]


class TestCheck:
    def test_an_archive_that_is_not_there_is_unknown_in_one_line(self, cli: Cli) -> None:
        for config in (None, '[archive]\ndirectory = "archive"\n'):
            if config:
                Path("archive.toml").write_text(config)
            done = cli("status", "--check")
            assert done.exit_code == 3
            assert done.stdout.startswith("ARCHIVER UNKNOWN: There is no arch")
            assert done.stdout.count("\n") == 1
            assert cli("status", "--prometheus").exit_code in {2, 6}

    def test_verify_and_copy_are_known_afterwards(self, cli: Cli, tmp_path: Path) -> None:
        Path("archive.toml").write_text('[archive]\ndirectory = "archive"\n')
        with writer(Path("archive")):
            pass
        assert "last_care" not in cli("status", "--prometheus").stdout
        copy = tmp_path / "copy"
        assert cli("verify").exit_code == 0
        assert cli("copy", copy).exit_code == 0
        assert cli("verify", copy).exit_code == 0, "not logged: it is not the archive"
        assert cli("copy", copy).exit_code == 0, "what was logged makes no copy newer or older"
        done = cli("status", "--prometheus")
        assert done.exit_code == 0
        assert 'last_care_timestamp_seconds{what="verify"} ' in done.stdout
        assert f'integrity_errors{{what="copy",target="{copy}"}} 0' in done.stdout
        assert cli("status", "--check").exit_code == 3, "no backup has run"

    def test_one_thing_at_a_time(self, cli: Cli) -> None:
        assert cli("status", "--check", "--json").exit_code == 2
