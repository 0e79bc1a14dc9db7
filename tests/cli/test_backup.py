"""archiver backup, where it warns of the disk; what it does is told in tests/backup."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.archive.database import archive_lock
from archiver.cli import main
from support.nights import Nights, nights
from support.running import Cli, RunArchiver

NOT_NEEDED = {
    # care that is not due, and what it does to databases
    "archiver.evidence.copy", "archiver.evidence.verify", "archiver.unattended.care",
    "concurrent.futures.process", "sqlite_utils",
    # exports, and APIs that are served
    "archiver.export", "archiver.saved_posts", "archiver.served_records",
    "archiver_exports.facebook",
    # films in parts
    "archiver.media.playlists.dash", "m3u8", "xml.etree.ElementTree",
    # what httpx sends requests by, in whose place the run has a transport of its own
    "h11", "httpcore",
}  # fmt: skip
"""What a run must not load that has nothing to do, as most have."""


PROGRAM = """
import sys
from archiver.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
"""Runs a command, and prints which modules it has loaded."""


def test_a_run_with_nothing_to_do_loads_nothing_for_what_it_does_not_do(
    tmp_path: Path, run_archiver: RunArchiver
) -> None:
    loaded = []
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(1)
        world.url_life *= 10_000
        world.config()
        asked = ("-q", "--config", tmp_path / "archive.toml", "backup")
        assert run_archiver(*asked).returncode == 0
        for option in ((), ("--due",)):
            done = run_archiver(*asked, *option, python=(sys.executable, "-c", PROGRAM))
            assert done.returncode == 0
            loaded.append(set(done.stderr.split()))
    assert not loaded[0] & NOT_NEEDED
    assert not loaded[1] & NOT_NEEDED
    # where nothing is due, no run is begun
    assert "archiver.backup.run" in loaded[0]
    assert not loaded[1] & {"archiver.backup.run", "archiver.net", "archiver.media", "httpx"}


def test_a_run_defines_its_own_records_as_structs(run_archiver: RunArchiver) -> None:
    """To define a frozen dataclass takes fifty times as long, and a run has some two hundred."""
    program = (
        "import sys, archiver.backup.run\n"
        "for module in list(sys.modules.values()):\n"
        "    for name, value in vars(module).items():\n"
        "        known = vars(value) if isinstance(value, type) else {}\n"
        "        if getattr(known.get('__dataclass_params__'), 'frozen', False):\n"
        "            print(value.__module__, name)\n"
    )
    done = run_archiver(python=(sys.executable, "-c", program))
    found = [line.split() for line in done.stdout.splitlines()]
    parts = {"archive", "evidence", "media", "net"}
    assert ["archiver.models", "Post"] in found
    assert {name for module, name in found if parts.intersection(module.split("."))} == {
        "Action", "ExtractNote", "Finding",  # written as JSON
        "Proxy", "Route",  # what `repr` must not show, and what is worked out once
    }  # fmt: skip


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


class Due:
    """archiver backup --due, by the real clock, in a world whose accounts have none."""

    def __init__(self, world: Nights, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self.capsys = capsys
        world.config()

    def __call__(self, *options: str) -> str:
        """Run it well; what it printed to stdout."""
        config = str(self.world.folder / "archive.toml")
        with pytest.raises(SystemExit) as ended:
            main(["--config", config, "backup", "--due", *options])
        assert not ended.value.code
        return self.capsys.readouterr().out

    @property
    def runs(self) -> int:
        return len(self.world.column("SELECT id FROM runs"))


@pytest.fixture
def due(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Due]:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(2)
        world.url_life *= 10_000
        world.dates = False
        world.cache = None
        yield Due(world, capsys)


def test_what_is_due_is_run_and_then_nothing_is_and_no_run_is_written(due: Due) -> None:
    assert "2 new" in due()
    assert "Nothing is due before" in due()
    assert due("-q") == ""
    said = json.loads(due("--json"))
    assert (said["outcome"], said["exit_code"]) == ("nothing_due", 0)
    assert due.runs == 1


def test_while_another_run_is_going_on_there_is_nothing_to_do(due: Due) -> None:
    with archive_lock(due.world.directory):
        assert "in use" in due()
        assert due("-q") == ""


@pytest.mark.parametrize("option", ["--full", "--now", "--since=2026", "--limit=3"])
def test_what_is_due_says_itself_how_far_to_scan(cli: Cli, option: str) -> None:
    done = cli("backup", "--due", option)
    assert (done.exit_code, "--due says itself" in done.stderr) == (2, True)


def test_what_is_due_of_a_wrong_config_is_an_error(cli: Cli) -> None:
    Path("archive.toml").write_text(
        '[archive]\ndirectory = "archive"\n[[accounts]]\nname = "a"\nplatform = "blueskye"\n'
    )
    assert cli("backup", "--due").exit_code == 2
