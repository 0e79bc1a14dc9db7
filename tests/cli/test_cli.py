"""The group of commands: start-up, help, completion, and what is not known."""

import json
import sys
from pathlib import Path

import click
import pytest

from archiver.cli import COMMANDS, EXIT_CODES, main
from archiver.cli.shell import Subcommand
from archiver.errors import ArchiverError
from support.running import Cli, RunArchiver

HEAVY = ("httpx", "httpcore", "sqlite_utils", "PIL", "anyio", "asyncio", "sqlite3", "uvicorn")


class TestStartUp:
    """What only tells about the program must not load all of it."""

    @pytest.mark.parametrize(
        ("args", "env"),
        [
            (["--help"], {}),
            (["--version"], {}),
            *(([name, "--help"], {}) for name in COMMANDS),
            ([], {"_ARCHIVER_COMPLETE": "bash_source"}),
            (
                [],
                {
                    "_ARCHIVER_COMPLETE": "bash_complete",
                    "COMP_WORDS": "archiver ",
                    "COMP_CWORD": "1",
                },
            ),
        ],
    )
    def test_a_light_command_imports_little(
        self, args: list[str], env: dict[str, str], run_archiver: RunArchiver
    ) -> None:
        program = (
            "import sys\nfrom archiver.cli import main\nimport importlib.metadata as m\n"
            "def refuse(*a, **k): raise AssertionError('entry points were scanned')\n"
            "m.entry_points = refuse\n"
            "try:\n    main()\nfinally:\n"
            f"    print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)\n"
        )
        done = run_archiver(*args, python=(sys.executable, "-c", program), env=env)
        assert done.returncode == 0
        assert done.stderr.strip() == "[]"

    def test_the_first_help_brings_little_but_click(self, run_archiver: RunArchiver) -> None:
        program = (
            "import sys, click\nbefore = set(sys.modules)\nfrom archiver.cli import main\n"
            "try:\n    main()\nfinally:\n"
            "    print(*sorted(set(sys.modules) - before), file=sys.stderr)\n"
        )
        done = run_archiver("--help", python=(sys.executable, "-c", program))
        brought = set(done.stderr.split())
        assert not brought & {"pathlib", "difflib", "archiver.secrets", "archiver.config"}
        assert "archiver.cli" in brought

    def test_a_backup_brings_no_tool_for_schemas(self, run_archiver: RunArchiver) -> None:
        program = "import sys, archiver.backup.run; print('sqlite_utils' in sys.modules)"
        assert run_archiver(python=(sys.executable, "-c", program)).stdout == "False\n"

    def test_completion_knows_the_commands(self, run_archiver: RunArchiver) -> None:
        env = {
            "_ARCHIVER_COMPLETE": "bash_complete",
            "COMP_WORDS": "archiver pl",
            "COMP_CWORD": "1",
        }
        assert run_archiver(env=env).stdout.split() == ["plain,plugins"]


class TestHelp:
    """Help is complete, and fits eighty columns."""

    def test_the_group_lists_commands_and_exit_codes(self, cli: Cli) -> None:
        done = cli("--help")
        assert done.exit_code == 0
        for name, (_, short) in COMMANDS.items():
            assert f"  {name}" in done.stdout
            assert short in done.stdout
        for code, meaning in EXIT_CODES.items():
            assert f"{code:<3}  {meaning}" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 80

    def test_every_exit_code_of_an_error_is_listed(self) -> None:
        def classes(cls: type[ArchiverError]) -> list[type[ArchiverError]]:
            return [cls, *(below for sub in cls.__subclasses__() for below in classes(sub))]

        assert {cls.exit_code for cls in classes(ArchiverError)} == set(EXIT_CODES) - {0}

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_shows_an_example(self, name: str, cli: Cli) -> None:
        command = main.get_command(click.Context(main), name)
        assert isinstance(command, Subcommand)
        assert command.short_help == COMMANDS[name][1]
        done = cli(name, "--help")
        assert done.exit_code == 0
        assert "\nExample" in done.stdout
        assert f"archiver {name}" in done.stdout.partition("\nExample")[2]
        assert max(map(len, done.stdout.splitlines())) <= 80

    def test_the_version(self, cli: Cli) -> None:
        assert cli("--version").stdout.startswith("archiver ")

    def test_an_unknown_command(self, cli: Cli) -> None:
        done = cli("bakcup")
        assert done.exit_code == 2
        assert 'Did you mean "backup"?' in done.stderr
        assert done.stdout == ""

    def test_an_unknown_option(self, cli: Cli) -> None:
        done = cli("plugins", "--josn")
        assert done.exit_code == 2
        assert "--josn" in done.stderr
        assert "See archiver plugins --help" in done.stderr


def test_nothing_is_loaded_from_the_current_folder(
    run_archiver: RunArchiver, tmp_path: Path
) -> None:
    (tmp_path / "evil.py").write_text("print('EVIL')\n")
    (tmp_path / "click.py").write_text("print('EVIL')\n")
    info = tmp_path / "evil-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[archiver]\nevil = evil\n")
    done = run_archiver("plugins", "--json")
    assert done.returncode == 0
    assert "evil" not in (done.stdout + done.stderr).lower()
    assert json.loads(done.stdout)["plugins"] is not None


def test_the_table_of_commands_is_static() -> None:
    assert all(module.startswith("archiver.cli.") for module, _ in COMMANDS.values())
