"""What every test may use: the event loop's name, and two ways to run the command line."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasette.utils.sqlite
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings

from archiver.cli import main
from archiver.cli.shell import Shell
from archiver.secrets import Secret
from support.loop_time import LoopTime
from support.running import Cli, RunArchiver

if TYPE_CHECKING:
    from support.fleet.fleets import FleetBench, FleetGround

# Datasette asks SQLite what it knows, in part while it is imported, by connections that it never
# closes: Python 3.13 warns of each
datasette.utils.detect_json1 = lambda conn=None: True
datasette.utils.sqlite._cached_sqlite_version = sqlite3.sqlite_version_info

# how long an example takes says something about the machine, and nothing about the program
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
settings.register_profile("quick", settings.get_profile("any machine"), max_examples=25)


SLOW = {"exports", "hostile", "performance", "playlists", "torture", "transfer"}
"""Folders whose tests make whole runs, or read large files: nothing in them is about one Python."""

SLOW_CASES = {"test_hostile_records_are_read_or_refused"}
"""Cases of the contract of sources that try thousands of records."""


def pytest_configure(config: pytest.Config) -> None:
    """Where the slow tests are left out, a quarter of the random examples is tried."""
    if "not slow" in config.option.markexpr:
        settings.load_profile("quick")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is in a slow folder is slow, and so are some cases of a contract."""
    for item in items:
        folders = item.path.relative_to(Path(__file__).parent).parts
        if not SLOW.isdisjoint(folders) or item.name in SLOW_CASES:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def fleet_ground(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[FleetGround]":
    """A PostgreSQL and a world, once for each process that runs tests of fleets."""
    from support.fleet.fleets import fleet_ground

    with fleet_ground(tmp_path_factory.mktemp("fleets")) as ground:
        yield ground


@pytest.fixture
def fleet(
    fleet_ground: "FleetGround", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "FleetBench":
    """A fleet without tenants."""
    from support.fleet.fleets import new_fleet

    return new_fleet(fleet_ground, tmp_path, monkeypatch)


@pytest.fixture
def loop_time() -> LoopTime:
    """The time of the event loop that a test runs on: it stands still until the test moves it."""
    return LoopTime()


@pytest.fixture
def anyio_backend(loop_time: LoopTime) -> tuple[str, dict[str, Any]]:
    """The one event loop that this program runs on."""
    return "asyncio", loop_time.options


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the program remembers outside of archives is not the user's while tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test revealed is blanked out in no other: the key of one is a word of another."""
    monkeypatch.setattr(Secret, "_revealed", set())
    monkeypatch.setattr(Secret, "_forms", [])
    monkeypatch.setattr(Secret, "_variables", set())
    monkeypatch.setattr(Secret, "_looked_up", {})


@pytest.fixture(scope="session", autouse=True)
def own_collector() -> Iterator[None]:
    """A command that is run in this process does not change what later tests of memory measure."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("archiver.cli.collect_less", lambda: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def not_in_the_background() -> None:
    """Under nohup, or behind a shell's `&`, programs ignore a closed terminal, or Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable or folder of the person who runs the tests has a say in them."""
    for name in list(os.environ):
        if name.startswith(("ARCHIVER_", "AYRSHARE_", "X_API_", "XDG_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("APPDATA", str(home))


@pytest.fixture
def cli(clean_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """`cli("backup", "--json")` runs the command line in this process, in an empty folder.

    `shell=Shell(…)` hands it a shell with plugins or a config of the test's own.
    """
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*args: str | Path, shell: Shell | None = None) -> Result:
        return CliRunner().invoke(main, [str(arg) for arg in args], obj=shell or Shell())

    return run


@pytest.fixture
def run_archiver(clean_environment: None, tmp_path: Path) -> RunArchiver:
    """`run_archiver("--help")` runs the command line as a program; text comes back as text.

    `python=` and `env=` choose the interpreter and add to the environment.
    """

    def run(
        *args: str | Path,
        python: tuple[str | Path, ...] = (sys.executable, "-m", "archiver"),
        env: dict[str, str] | None = None,
        cwd: Path = tmp_path,
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*map(str, python), *map(str, args)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=240,
        )

    return run
