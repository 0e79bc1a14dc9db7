"""The command line as a whole: start-up, help, options, and how failures are told."""

import json
import logging
import signal
import sys
from pathlib import Path

import click
import pytest

from archiver import cli as command_line
from archiver.cli import COMMANDS, EXIT_CODES, main
from archiver.cli.failures import guarded, layout
from archiver.cli.logs import logging_to_stderr
from archiver.cli.shell import Shell, Subcommand, terminated_as_interrupted
from archiver.cli.text import width_of
from archiver.errors import AccessRefused, ArchiverError, Interrupted, RecordError, SourceDown
from archiver.secrets import Secret
from nights import nights
from running import Cli, RunArchiver

HEAVY = ("httpx", "httpcore", "sqlite_utils", "PIL", "anyio", "asyncio", "sqlite3", "uvicorn")


def run(work: object, *, verbose: int = 0) -> int:
    """`guarded`, with an exception to raise or a value to return."""

    def do() -> object:
        if isinstance(work, BaseException):
            raise work
        return work

    return guarded(do, verbose=lambda: verbose)


def completing(line: str) -> dict[str, str]:
    """The environment in which bash asks what may follow."""
    return {"_ARCHIVER_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": "1"}


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
    def test_it_is_light(
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


class TestCommonOptions:
    """They may stand before or after the command."""

    @pytest.mark.parametrize("after", [False, True])
    def test_config(self, after: bool, cli: Cli) -> None:
        option = ["--config", "elsewhere.toml"]
        done = cli("accounts", *option) if after else cli(*option, "accounts")
        assert done.exit_code == 2
        assert "elsewhere.toml" in done.stderr

    def test_after_the_command_wins(self, cli: Cli) -> None:
        done = cli("--config", "one.toml", "accounts", "--config", "two.toml")
        assert "two.toml" in done.stderr
        assert "one.toml" not in done.stderr

    def test_all_of_them(self, cli: Cli, tmp_path: Path) -> None:
        shell = Shell()
        assert cli("-v", "-q", "init", "-vv", "--no-progress", shell=shell).exit_code == 0
        assert (shell.quiet, shell.verbose, shell.no_progress) == (True, 3, True)
        assert shell.progress is False

    def test_quiet_still_tells_what_was_asked_for(self, cli: Cli) -> None:
        done = cli("-q", "init")
        assert done.stdout == "Wrote archive.toml\n"
        assert done.stderr == ""


class TestFailures:
    """Every failure is a sentence and an exit code."""

    def test_an_error_says_everything(self, capsys: pytest.CaptureFixture[str]) -> None:
        error = AccessRefused(
            "The key was refused for acme-instagram",
            why="Ayrshare answered 403",
            kept="1 204 posts are kept",
            hint="Check AYRSHARE_API_KEY",
        )
        assert run(error) == 5
        out, err = capsys.readouterr()
        assert out == ""
        assert err == (
            "Error: The key was refused for acme-instagram\n"
            "  Why:  Ayrshare answered 403\n"
            "  Kept: 1 204 posts are kept\n"
            "  Next: Check AYRSHARE_API_KEY\n"
        )

    def test_long_parts_are_wrapped(self) -> None:
        text = click.unstyle(layout(SourceDown("word " * 40, why="長い文 " * 40)))
        assert max(map(width_of, text.splitlines())) <= 80
        assert len(text.splitlines()) > 6

    def test_secrets_and_escapes_do_not_get_out(self, capsys: pytest.CaptureFixture[str]) -> None:
        Secret("t0p-s3cret-value").reveal()
        error = SourceDown("Sent t0p-s3cret-value", why="said \x1b[31m\u202eevil\nKept: all\x07")
        assert run(error) == 4
        err = capsys.readouterr().err
        assert "t0p" not in err
        assert "said \\x1b[31m\\u202eevil Kept: all\\x07" in err
        assert len(err.splitlines()) == 2

    def test_a_bug_is_called_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        Secret("t0p-s3cret-value").reveal()
        assert run(KeyError("t0p-s3cret-value")) == 1
        err = capsys.readouterr().err
        assert "This is a bug in archiver (KeyError: '[secret]')" in err
        assert "Traceback" not in err

    def test_its_traceback_with_v(self, capsys: pytest.CaptureFixture[str]) -> None:
        Secret("t0p-s3cret-value").reveal()
        assert run(KeyError("t0p-s3cret-value"), verbose=1) == 1
        err = capsys.readouterr().err
        assert "Traceback (most recent call last):" in err
        assert "t0p" not in err

    @pytest.mark.parametrize(
        "error",
        [
            KeyboardInterrupt(),
            click.Abort(),
            Interrupted("Stopped"),
            BaseExceptionGroup("", [KeyboardInterrupt()]),
            ExceptionGroup("", [Interrupted("Stopped")]),
        ],
    )
    def test_an_interruption(
        self, error: BaseException, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(error) == 130
        assert "Stopped" in capsys.readouterr().err

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_a_request_to_end_is_an_interruption(self, number: signal.Signals) -> None:
        with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
            signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_DFL

    def test_a_group_of_errors(self, capsys: pytest.CaptureFixture[str]) -> None:
        group = ExceptionGroup("", [RecordError("one"), ExceptionGroup("", [SourceDown("two")])])
        assert run(group) == 4
        assert capsys.readouterr().err == "Error: one\nError: two\n"
        assert run(ExceptionGroup("", [RecordError("one"), KeyError("two")])) == 1

    def test_a_full_disk_is_no_bug(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(OSError(28, "No space left on device")) == 6

    def test_the_code_of_a_command(self) -> None:
        assert run(None) == 0
        assert run(3) == 3


class TestLogging:
    """Off unless asked for; secrets never in it."""

    def test_off(self, capsys: pytest.CaptureFixture[str]) -> None:
        with logging_to_stderr(0):
            logging.getLogger("archiver.test").error("boom")
        assert capsys.readouterr().err == ""

    def test_on(self, capsys: pytest.CaptureFixture[str]) -> None:
        Secret("t0p-s3cret-value").reveal()
        with logging_to_stderr(1):
            logging.getLogger("archiver.test").info("got %s\x1b", "t0p-s3cret-value")
            logging.getLogger("httpx").error("GET https://t0p-s3cret-value@example.com")
            logging.getLogger("archiver.test").debug("too much")
            try:
                raise ValueError("t0p-s3cret-value")
            except ValueError:
                logging.getLogger("archiver.test").exception("failed")
        err = capsys.readouterr().err
        assert "got [secret]\\x1b" in err
        assert "ValueError: [secret]" in err
        assert "t0p" not in err
        assert "GET" not in err
        assert "too much" not in err


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


def test_no_color(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert layout(SourceDown("Down")) == "\x1b[31mError:\x1b[0m Down"
    monkeypatch.setenv("NO_COLOR", "1")
    assert layout(SourceDown("Down")) == "Error: Down"
    assert "\x1b" not in cli("bakcup").stderr
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert layout(SourceDown("Down")) == "Error: Down"


def test_the_table_of_commands_is_static() -> None:
    assert all(module.startswith("archiver.cli.") for module, _ in command_line.COMMANDS.values())


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
