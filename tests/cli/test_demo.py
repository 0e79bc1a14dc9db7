"""`archiver demo` backs up three days of a small world, and what it prints of them is true."""

import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from archiver.cli import demo, main
from archiver.cli.shell import Shell
from support.running import Cli

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Demo:
    """A demo that was run in a folder of its own, and the lines that it printed."""

    folder: Path
    lines: list[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(main, ["demo"], obj=Shell())
    assert result.exit_code == 0, result.output
    return Demo(folder, result.stdout.splitlines())


@pytest.fixture
def printed(made: Demo, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the demo printed; its archive is below `demo`, in the current folder."""
    monkeypatch.chdir(made.folder)
    return made.lines


def test_the_story_has_omitted_media_an_edit_new_posts_and_a_removed_one(
    printed: list[str],
) -> None:
    days = "\n".join(printed).split("\nDay ")
    assert len(days) == 4
    first, second, third = days[1:]
    assert "omitted  mare-instagram  2 files (copyright)" in first
    assert "not found (404)" in first
    assert "edited" in second
    assert "missing" in second
    assert "removed" in third
    assert "available again" in third
    for day in (second, third):
        assert "0 B of them fetched again" in day


def test_no_line_is_wider_than_80_columns(printed: list[str]) -> None:
    assert [line for line in printed if len(line) > 80 and "sqlite3" not in line] == []


def test_the_archive_is_there_intact_and_open_to_the_other_commands(
    printed: list[str], cli: Cli
) -> None:
    assert cli("--config", "demo/archive.toml", "verify").exit_code == 0
    status = cli("--config", "demo/archive.toml", "status", "--omitted")
    assert status.exit_code == 0
    assert "Omitted by the platform" in status.stdout
    connection = sqlite3.connect("demo/archive/archive.db")
    platforms = connection.execute("SELECT count(DISTINCT platform) FROM posts").fetchone()
    connection.close()
    assert platforms == (10,)


def test_it_has_a_film_that_was_only_a_playlist_and_videos_behind_their_pages(
    printed: list[str], cli: Cli
) -> None:
    assert any("a playlist only" in line for line in printed)
    with closing(sqlite3.connect("demo/archive/archive.db")) as connection:
        made = connection.execute(
            "SELECT platform, role, state, media.content_type FROM media_origins "
            "JOIN renditions ON renditions.id = rendition_id "
            "JOIN media ON sha256 = renditions.media_sha256 "
            "JOIN accounts ON accounts.id = account_id"
        ).fetchall()
        missing = connection.execute(
            "SELECT DISTINCT state, reason FROM missing_media WHERE platform = 'youtube'"
        ).fetchall()
    assert made == [("bluesky", "original", "stored", "video/mp4")]
    why = "the source gives no file, only its page"
    assert missing == [("not_offered", why)]
    lines = cli("--config", "demo/archive.toml", "status").stdout.splitlines()
    (youtube,) = [line for line in lines if line.startswith("mare-youtube") and why in line]
    assert youtube.split()[:4] == ["mare-youtube", "5", "not", "offered"]


def test_what_each_account_got_adds_up_to_what_its_run_got(printed: list[str]) -> None:
    names = ("got", "new", "edited", "removed", "stored", "omitted", "failed")
    sums = ", ".join(f"sum({name})" for name in names)
    with closing(sqlite3.connect("demo/archive/archive.db")) as connection:
        runs = connection.execute(f"SELECT id, {', '.join(names)} FROM runs").fetchall()
        accounts = connection.execute(f"SELECT run_id, {sums} FROM run_accounts GROUP BY 1")
        assert accounts.fetchall() == runs
    assert all(stored for *_, stored, _omitted, _failed in runs)


def test_the_command_it_names_first_serves_its_archive(printed: list[str]) -> None:
    program, *arguments = shlex.split(printed[printed.index("Look at it") + 1])
    assert program == "archiver"
    command = [sys.executable, "-m", program, *arguments, "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            address = running.stdout.readline().split(" is at ")[1].split()[0]
            assert httpx.get(address, timeout=120).status_code == 200
        finally:
            running.terminate()


def test_where_datasette_is_missing_it_says_first_how_to_get_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda _: None)
    said = cli("demo").stdout.splitlines()
    assert said[said.index("Look at it") + 1] == "  pip install 'datasette>=0.65.2'"


def test_it_replaces_an_earlier_demo_but_touches_no_folder_of_others(
    made: Demo, cli: Cli, tmp_path: Path
) -> None:
    shutil.copytree(made.folder / "demo", "demo")
    stray = Path("demo/archive/media/stray")
    stray.touch()
    assert cli("demo", "-q").exit_code == 0
    assert not stray.exists()
    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    refused = cli("demo", other)
    assert refused.exit_code == 2
    assert "not of a demo" in refused.stderr
    assert (other / "thesis.txt").read_text() == "years of work"
