"""Closed and broken standard streams stop no work, and the exit code speaks of the archive."""

import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.cli.streams import TolerantWriter
from support.nights import Nights, nights

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="has the streams set by a POSIX shell"),
]

NEEDS_FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
CLOSED = ["2>&-", ">&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-", "1</dev/null", "2</dev/null"]
WORDS_OF_A_BUG = ("is a bug", "Traceback", "Exception ignored", "lost sys.")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def world(tmp_path: Path, clean_environment: None) -> Iterator[Nights]:
    """A world with one post, served, and a config that points to it."""
    with nights(tmp_path, "threads") as world:
        world.account("threads").publish("Good morning")
        world.config()
        yield world


@pytest.fixture
def run(world: Nights) -> Run:
    """`run("backup", streams="2>&-")`: the program, with its streams as a shell sets them."""

    def started(
        *args: str, streams: str = "", env: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["/bin/sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-m", "archiver",
             "--config", str(world.folder / "archive.toml"), *args],
            env={**os.environ, **(env or {})}, cwd=world.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, encoding="utf-8", check=False, timeout=240,
        )  # fmt: skip

    return started


def check_archive(world: Nights) -> None:
    """The post is stored, and nothing was printed into the database."""
    assert world.column("SELECT text FROM posts") == ["Good morning"]
    with closing(sqlite3.connect(world.directory / "archive.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def check_words(done: "subprocess.CompletedProcess[str]") -> None:
    assert [word for word in WORDS_OF_A_BUG if word in done.stdout + done.stderr] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("streams", "options"),
    [
        ("2>&-", ""), (">&-", "--json"), ("<&-", "-vv"), (">&- 2>&-", "-v"),
        ("<&- >&- 2>&-", ""), ("<&- >&- 2>&-", "-vv --json"), ("1</dev/null", ""),
        ("2</dev/null", "-vv"),
        pytest.param(">/dev/full", "", marks=NEEDS_FULL),
        pytest.param("2>/dev/full", "-vv --json", marks=NEEDS_FULL),
        pytest.param(">/dev/full 2>&1", "-v", marks=NEEDS_FULL),
    ],
)  # fmt: skip
def test_a_backup_is_made_whatever_its_streams_are(
    world: Nights, run: Run, streams: str, options: str
) -> None:
    done = run("backup", *options.split(), streams=streams)
    assert done.returncode == 0, done.stderr
    check_words(done)
    check_archive(world)


@pytest.mark.parametrize(
    ("streams", "command"),
    [
        (">&-", "status"), ("<&-", "accounts"), ("<&- >&- 2>&-", "status --json"),
        ("1</dev/null", "plugins --json"), ("2>&-", "--help"), (">&- 2>&-", "verify --json"),
        ("<&- >&- 2>&-", "copy second"), (">&- 2>&-", "--nonsense"),
    ],
)  # fmt: skip
def test_a_closed_stream_is_no_error(world: Nights, run: Run, streams: str, command: str) -> None:
    world.backup()
    done = run(*command.split(), streams=streams)
    assert done.returncode == (2 if command == "--nonsense" else 0)
    check_words(done)
    check_archive(world)


@pytest.mark.slow
@NEEDS_FULL
@pytest.mark.parametrize(
    "command", ["status", "backup --now --json", "accounts --json", "plugins", "--help"]
)
def test_output_that_was_asked_for_and_cannot_be_written_is_an_error_of_its_own(
    world: Nights, run: Run, command: str
) -> None:
    world.backup()
    done = run(*command.split(), streams=">/dev/full")
    assert done.returncode == 3
    assert "Error: The output could not be written\n  Why:  The disk is full\n" in done.stderr
    check_words(done)


@pytest.mark.slow
@NEEDS_FULL
@pytest.mark.parametrize("command", ["backup --now", "verify", "init new"])
def test_a_report_that_cannot_be_written_is_a_warning(
    world: Nights, run: Run, command: str
) -> None:
    world.backup()
    done = run(*command.split(), streams=">/dev/full")
    assert done.returncode == 0
    assert "its report could not be printed: The disk is full" in " ".join(done.stderr.split())
    check_words(done)


@pytest.mark.slow
@NEEDS_FULL
def test_damage_has_its_exit_code_where_nothing_can_be_printed(world: Nights, run: Run) -> None:
    world.backup()
    with closing(sqlite3.connect(world.directory / "archive.db")) as connection, connection:
        connection.execute("UPDATE posts SET text = 'Good evening'")
    for streams in (">/dev/full 2>&1", ">&- 2>&-"):
        assert run("verify", streams=streams).returncode == 7


def through_pipe_without_reader(world: Nights, stream: int, *args: str) -> int:
    """The exit code of the program whose stdout (1) or stderr (2) nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    out, err = (writer, subprocess.DEVNULL) if stream == 1 else (subprocess.DEVNULL, writer)
    command = [sys.executable, "-m", "archiver", "--config", str(world.folder / "archive.toml")]
    try:
        return subprocess.run(
            [*command, *args], check=False, timeout=240, stdout=out, stderr=err
        ).returncode
    finally:
        os.close(writer)


@pytest.mark.parametrize(
    ("stream", "command", "code"),
    [
        (1, "backup", 0), (2, "backup -vv", 0), (1, "status --json", 141), (1, "--help", 141),
        (2, "backup --nonsense", 2),
    ],
)  # fmt: skip
def test_a_reader_may_leave_before_the_end(
    world: Nights, stream: int, command: str, code: int
) -> None:
    world.backup()
    assert through_pipe_without_reader(world, stream, *command.split()) == code
    check_archive(world)


@pytest.mark.slow
@pytest.mark.parametrize("term", ["xterm", None])
def test_a_backup_is_made_though_its_terminal_was_closed(world: Nights, term: str | None) -> None:
    ours, theirs = os.openpty()
    os.close(ours)  # every write to the other end is an EIO now
    env = {name: value for name, value in os.environ.items() if name != "TERM"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "archiver", "--config", world.folder / "archive.toml", "backup"],
            stdin=theirs, stdout=theirs, stderr=theirs, check=False, timeout=240,
            env=env if term is None else {**env, "TERM": term},
        )  # fmt: skip
    finally:
        os.close(theirs)
    assert done.returncode == 0
    check_archive(world)


@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONUNBUFFERED": "1"},
        {"TERM": "dumb", "COLUMNS": "many", "LC_ALL": "C"},
    ],
    ids=str,
)
def test_it_works_in_any_locale_and_terminal(world: Nights, run: Run, env: dict[str, str]) -> None:
    world.account("threads").publish("Größe ☕ 日本語")
    for command in ("backup -vv --now --full", "status"):
        done = run(*command.split(), env=env)
        assert done.returncode == 0, done.stderr
        check_words(done)
        if "ascii" in str(env):
            assert done.stdout.isascii()
    assert "Größe ☕ 日本語" in world.column("SELECT text FROM posts")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["verify", "backup", "status", "copy second"])
def test_a_folder_that_the_locale_cannot_name_is_an_error_and_no_bug(
    world: Nights, run: Run, command: str
) -> None:
    config = world.folder / "archive.toml"
    text = config.read_text("utf-8").replace('directory = "archive"', 'directory = "日本"')
    config.write_text(text, "utf-8")
    done = run(*command.split(), env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert done.returncode in {2, 6}
    check_words(done)


NO_HOME = """
import os, pwd, sys
def nobody(uid):
    raise KeyError(uid)
pwd.getpwuid = nobody
os.environ.pop("HOME", None)
from archiver.cli import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", ["backup", "status", "copy second"])
def test_a_user_needs_no_home(world: Nights, command: str) -> None:
    world.backup()
    done = subprocess.run(
        [sys.executable, "-c", NO_HOME, *command.split()],
        cwd=world.folder, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    check_words(done)
    assert not (world.folder / "~").exists()


@pytest.mark.parametrize("args", ["--config ~/archive.toml status", "status"])
def test_a_config_below_an_unknown_home_is_not_found(
    tmp_path: Path, args: str, clean_environment: None
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_HOME, *args.split()],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 2
    check_words(done)


@pytest.mark.slow
@pytest.mark.parametrize("home", ["/proc", "a-file/home", "not-there", ""])
def test_the_home_need_not_be_writable(world: Nights, run: Run, home: str) -> None:
    (world.folder / "a-file").touch()
    done = run("backup", env={"HOME": home, "XDG_STATE_HOME": ""})
    assert done.returncode == 0, done.stderr
    check_words(done)


@pytest.mark.slow
def test_a_json_report_is_whole_beside_a_closed_stderr(world: Nights, run: Run) -> None:
    assert json.loads(run("backup", "--json", streams="2>&-").stdout)["new"] == 1
    assert json.loads(run("status", "--json", streams="<&- 2>&-").stdout)["files"] == 0


def test_a_writer_waits_for_a_pipe_that_does_not_block() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    data = b"x" * 300_000  # more than a pipe holds
    child = os.fork()
    if not child:
        os.close(reader)
        stream = io.BufferedWriter(TolerantWriter(io.FileIO(writer, "w")))
        stream.write(data)
        stream.flush()
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        assert file.read() == data
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
