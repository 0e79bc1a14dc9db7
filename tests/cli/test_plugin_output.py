"""What a plugin prints goes to stderr, line by line, without secrets."""

import sys

import pytest

from archiver.cli.plugin_output import redirect_plugin_output
from archiver.secrets import Secret


def test_whatever_is_printed_goes_to_stderr_and_steers_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with redirect_plugin_output():
        sys.stdout.write("to stdout\n")
        sys.stderr.write("to stderr\x1b[31m\n")
        sys.stdout.write("without an end")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "to stdout"
    assert "\x1b" not in err
    assert err.endswith("without an end\n")


def test_a_secret_in_pieces_is_redacted_and_the_streams_come_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Secret("key-that-a-plugin-prints", verbatim=True).reveal()
    before = sys.stdout, sys.stderr
    with redirect_plugin_output():
        sys.stdout.write("key-that-a-")
        sys.stdout.write("plugin-prints\n")
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr().err == "[secret]\n"
