"""What every command shares: the common options, signals, and secrets on the command line."""

import signal
from pathlib import Path

import pytest

from archiver.cli.shell import Shell, secret_of, terminated_as_interrupted
from archiver.errors import UsageError
from archiver.secrets import Secret
from support.running import Cli


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

    def test_quiet_still_prints_the_output_of_a_command(self, cli: Cli) -> None:
        assert cli("-q", "init").output == ""
        done = cli("-q", "plugins")
        assert "ayrshare" in done.stdout
        assert done.stderr == ""


@pytest.mark.parametrize(
    "number", [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
)
def test_a_request_to_end_is_an_interruption(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
        signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize("text", ["env:KEY", "file:key", "keyring:ring/me", "cmd:pass key"])
def test_a_secret_is_named_on_the_command_line(text: str) -> None:
    assert secret_of("--token", text, "env:TOKEN") == Secret(text)


@pytest.mark.parametrize("text", ["s3cret-value", "", "ENV:KEY", "https://x", "evn:KEY"])
def test_a_secret_is_never_written_out_on_the_command_line(text: str) -> None:
    with pytest.raises(UsageError, match="needs a reference, not the secret itself") as caught:
        secret_of("--token", text, "env:TOKEN")
    assert "s3cret" not in str(caught.value)
    assert "--token env:TOKEN" in str(caught.value)
