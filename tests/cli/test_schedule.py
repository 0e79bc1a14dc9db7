"""archiver schedule, with programs in place of the system's, that keep what they are told."""

import os
from pathlib import Path

import pytest

from archiver.unattended.schedulers.installer import scheduler_here
from support.running import Cli

_CRONTAB = """#!/bin/sh
file="{file}"
case "$1" in
-l) [ -f "$file" ] && cat "$file" || {{ echo "no crontab for you" >&2; exit 1; }} ;;
-) cat > "$file" ;;
esac
"""
_SYSTEMCTL = """#!/bin/sh
echo "$@" >> "{file}"
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a shell")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of what the programs were told."""
    programs = tmp_path / "bin"
    programs.mkdir()
    file = tmp_path / "told"
    for name, text in (("crontab", _CRONTAB), ("systemctl", _SYSTEMCTL)):
        (programs / name).write_text(text.format(file=file))
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return file


@pytest.fixture
def config() -> Path:
    path = Path("archive.toml").absolute()
    path.write_text('[archive]\ndirectory = "archive"\n')
    return path


@pytest.fixture
def cli_here(cli: Cli, config: Path) -> Cli:
    return cli


def test_cron_is_installed_shown_and_removed(cli_here: Cli, told: Path) -> None:
    told.write_text("5 4 * * * other\n")
    cron = ("--scheduler", "cron")
    assert "Nothing is installed" in cli_here("schedule", "show", *cron).stdout
    for _ in range(2):
        done = cli_here("schedule", "install", *cron, "--at", "02:30")
        assert done.exit_code == 0, done.stderr
        assert "every night at 02:30" in done.stdout
        assert "cron mails" in done.stderr
    assert told.read_text().startswith("5 4 * * * other\n# begin of archiver,")
    assert told.read_text().count("\n30 2 * * * ") == 1
    assert cli_here("schedule", "show", *cron).stdout.splitlines()[1].startswith("30 2 * * * ")
    assert "Removed" in cli_here("schedule", "remove", *cron).stdout
    assert told.read_text() == "5 4 * * * other\n"
    assert "Nothing is installed" in cli_here("schedule", "remove", *cron).stdout


def test_a_run_may_have_its_time(cli_here: Cli, told: Path) -> None:
    done = cli_here("schedule", "install", "--scheduler", "cron", "--minutes", "50")
    assert "every hour, at minute 17, for what is due then" in done.stdout
    assert told.read_text().splitlines()[1].endswith("backup --due --minutes 50")


def test_a_first_crontab_is_made(cli_here: Cli, told: Path) -> None:
    assert cli_here("schedule", "install", "--scheduler", "cron").exit_code == 0
    assert told.read_text().startswith("# begin of archiver,")


def test_systemd_is_installed_shown_and_removed(cli_here: Cli, told: Path, config: Path) -> None:
    systemd = ("--scheduler", "systemd", "--name", "acme")
    assert cli_here("schedule", "install", *systemd).exit_code == 0
    units = Path.home() / ".config/systemd/user"
    assert sorted(path.name for path in units.iterdir()) == ["acme.service", "acme.timer"]
    assert f"--config {config} backup --due" in (units / "acme.service").read_text()
    assert told.read_text() == "--user daemon-reload\n--user enable --now acme.timer\n"
    shown = cli_here("schedule", "show", *systemd).stdout
    assert "OnCalendar=*-*-* *:17:00" in shown
    told.unlink()
    assert cli_here("schedule", "remove", *systemd).exit_code == 0
    assert list(units.iterdir()) == []
    assert told.read_text() == "--user disable --now acme.timer\n--user daemon-reload\n"


@pytest.mark.parametrize("scheduler", ["systemd", "launchd", "windows", "cron"])
def test_a_dry_run_prints_all_and_writes_nothing(cli_here: Cli, told: Path, scheduler: str) -> None:
    done = cli_here("schedule", "install", "--dry-run", "--scheduler", scheduler)
    assert done.exit_code == 0
    assert "archive.toml" in done.stdout
    assert not told.exists()
    assert list(Path.home().iterdir()) == []
    if scheduler == "systemd":
        assert "OnCalendar=" in done.stdout
        assert "$ systemctl --user enable --now archiver.timer" in done.stdout


def test_a_scheduler_that_refuses_is_an_error_with_its_words(
    cli_here: Cli, told: Path, tmp_path: Path
) -> None:
    (tmp_path / "bin/systemctl").write_text("#!/bin/sh\necho 'Failed to connect' >&2\nexit 1\n")
    done = cli_here("schedule", "install", "--scheduler", "systemd")
    assert done.exit_code == 2
    assert "Failed to connect" in done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ("--at", "24:00"), ("--at", "3"), ("--at", ""), ("--minutes", "0"),
        ("--name", "../x"), ("--name", ""),
        ("--system", "archiver", "--scheduler", "cron"),
        ("--system", "a\nExecStartPre=/bin/sh", "--scheduler", "systemd"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(cli_here: Cli, told: Path, wrong: tuple[str, ...]) -> None:
    assert cli_here("schedule", "install", *wrong).exit_code == 2
    assert not told.exists()


def test_without_a_config_nothing_is_installed(cli: Cli, told: Path) -> None:
    assert cli("schedule", "install", "--scheduler", "cron").exit_code == 2
    assert not told.exists()


def test_each_system_has_its_scheduler(tmp_path: Path, told: Path) -> None:
    assert scheduler_here("darwin") == "launchd"
    assert scheduler_here("win32") == "windows"
    assert scheduler_here("linux", tmp_path) == "systemd", "it runs, and systemctl is there"
    assert scheduler_here("linux", tmp_path / "none") == "cron"
