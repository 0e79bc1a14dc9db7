"""`archiver serve`, as a program and as a command."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.nights import Nights, nights
from support.running import Cli

pytestmark = pytest.mark.slow

TOKEN = "a-token-from-the-environment"
DEAF = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""Starts a program as a script starts one in the background: Ctrl-C is ignored."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    with nights(tmp_path_factory.mktemp("small"), "threads", "twitter") as world:
        world.account("threads").populate(3)
        world.account("twitter").publish("Good morning")
        world.backup()
        yield world


@pytest.mark.skipif(os.name != "posix", reason="stopped by a signal")
@pytest.mark.parametrize(
    ("deaf", "stop"),
    [((), signal.SIGINT), ((), signal.SIGTERM), (DEAF, signal.SIGTERM)],
    ids=["Ctrl-C", "terminated", "terminated in the background of a script"],
)
def test_it_serves_until_it_is_stopped(
    small: Nights, deaf: tuple[str, ...], stop: signal.Signals
) -> None:
    command = [sys.executable, "-m", "archiver", "--config", str(small.folder / "archive.toml")]
    with subprocess.Popen(
        [*deaf, *command, "serve", "--port", "0", "--token", "env:ARCHIVE_TOKEN", "--media"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "ARCHIVE_TOKEN": TOKEN},
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            base_url = line.partition(" ")[0]
            headers = {"Authorization": f"Bearer {TOKEN}"}
            with httpx.Client(timeout=120, headers=headers) as client:
                answer = client.get(f"{base_url}/history/threads").json()
                assert len(answer["posts"]) == 3
                assert "?archived=" in str(answer)
                assert client.get(f"{base_url}/history/twitter").json()["posts"]
        finally:
            server.send_signal(stop)
            _, said = server.communicate(timeout=120)
    assert server.returncode == 0, said
    assert base_url.startswith("http://127.0.0.1:")
    assert base_url.endswith("/api")
    assert TOKEN not in line + said


def test_the_token_is_never_on_the_command_line(cli: Cli, small: Nights) -> None:
    result = cli("--config", small.folder / "archive.toml", "serve", "--token", "literal")
    assert result.exit_code == 2
    assert "literal" not in result.output
    assert "env:" in result.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--token", "env:NOT_SET_ANYWHERE"), "NOT_SET_ANYWHERE"),
        ((), "--token"),
        (("--token", "env:ARCHIVE_TOKEN", "--as-of", "once"), "--as-of 2026-03-17"),
        (("--token", "env:ARCHIVE_TOKEN", "--host", "203.0.113.7"), "203.0.113.7"),
    ],
)
def test_what_cannot_be_is_said(
    cli: Cli, small: Nights, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], words: str
) -> None:
    monkeypatch.setenv("ARCHIVE_TOKEN", TOKEN)
    result = cli("--config", small.folder / "archive.toml", "serve", "--port", "0", *options)
    assert result.exit_code == 2
    assert words in result.output


def test_a_port_that_is_taken_is_said(
    cli: Cli, small: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVE_TOKEN", TOKEN)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = cli(
            "--config", small.folder / "archive.toml", "serve", "--port", str(port),
            "--token", "env:ARCHIVE_TOKEN",
        )  # fmt: skip
    assert result.exit_code == 2
    assert str(port) in result.output


def test_there_must_be_an_archive(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVE_TOKEN", TOKEN)
    config = tmp_path / "archive.toml"
    config.write_text('[archive]\ndirectory = "nothing"\n')
    result = cli("--config", config, "serve", "--token", "env:ARCHIVE_TOKEN")
    assert result.exit_code == 6
    assert "There is no archive" in result.output
