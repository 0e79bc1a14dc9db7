"""Every failure is a sentence and an exit code."""

import json

import click
import pytest

from archiver.cli.failures import ErrorFormat, guarded, layout
from archiver.cli.text import width_of
from archiver.errors import AccessRefused, Interrupted, RecordError, SourceDown
from archiver.secrets import Secret
from support.running import Cli


def run(work: object, *, verbose: int = 0) -> int:
    """`guarded`, with an exception to raise or a value to return."""

    def do() -> object:
        if isinstance(work, BaseException):
            raise work
        return work

    return guarded(do, lambda: ErrorFormat(verbose=verbose))


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

    def test_a_bug_is_reported_as_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        Secret("t0p-s3cret-value").reveal()
        assert run(KeyError("t0p-s3cret-value")) == 1
        err = capsys.readouterr().err
        assert "This is a bug in archiver (KeyError: '[secret]')" in err
        assert "Traceback" not in err

    def test_with_v_a_bug_has_its_traceback(self, capsys: pytest.CaptureFixture[str]) -> None:
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
    def test_an_interruption_ends_with_130(
        self, error: BaseException, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(error) == 130
        assert "Stopped" in capsys.readouterr().err

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


def test_no_color(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert layout(SourceDown("Down")) == "\x1b[31mError:\x1b[0m Down"
    monkeypatch.setenv("NO_COLOR", "1")
    assert layout(SourceDown("Down")) == "Error: Down"
    assert "\x1b" not in cli("bakcup").stderr
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert layout(SourceDown("Down")) == "Error: Down"


@pytest.mark.parametrize(
    ("command", "code", "exit_code"),
    [
        (("status", "--json"), "config", 2),
        (("backup", "--json", "--config", "nowhere.toml"), "config", 2),
        (("verify", "/nowhere", "--json"), "no_archive", 6),
        (("copy", "--json"), "usage", 2),
        (("status", "--josn", "--json"), "usage", 2),
        (("backup", "--since", "tomorrow", "--json"), "usage", 2),
    ],
)
def test_where_json_was_asked_for_a_failure_is_one_json_object(
    cli: Cli, command: tuple[str, ...], code: str, exit_code: int
) -> None:
    done = cli(*command)
    answer = json.loads(done.stdout)
    assert (answer["error"]["code"], answer["exit_code"]) == (code, exit_code)
    assert done.exit_code == exit_code
    assert answer["error"]["what"]
    assert done.stderr.count("Error: ") == 1


def test_a_missing_option_is_explained_by_an_example(cli: Cli) -> None:
    done = cli("serve")
    assert done.exit_code == 2
    assert "--token env:ARCHIVE_TOKEN" in " ".join(done.stderr.split())


def test_where_quiet_was_asked_for_nothing_is_coloured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda stream, color: color is False)
    for colour in (True, False):
        assert guarded(lambda: 1 / 0, lambda: ErrorFormat(colour=colour)) == 1  # noqa: B023 — used at once
        assert ("\x1b[31m" in capsys.readouterr().err) is colour
