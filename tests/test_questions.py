"""The page of an auditor's questions is true: each command on it is run, and says what it shows."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from archiver.cli import main
from archiver.cli.text import width_of
from support.browsing import demo_archive
from support.fresh import ROOT

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "questions.md").read_text("utf-8")
_SECTION = re.compile(r"^## (\d+)\. .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Sample(NamedTuple):
    """A command on the page, and the lines that it shows."""

    question: int
    command: str
    lines: tuple[str, ...]


def samples() -> Iterator[Sample]:
    for section in _SECTION.finditer(PAGE):
        for block in _BLOCK.findall(section[0]):
            for call in block.split("$ archiver ")[1:]:
                command, *lines = call.splitlines()
                yield Sample(int(section[1]), command, tuple(lines))


SAMPLES = tuple(samples())


def pattern(line: str) -> re.Pattern[str]:
    """What a line of the page matches: `…` is anything, and any white space is one space."""
    parts = (re.escape(part) for part in " ".join(line.split()).split("…"))
    return re.compile(".*".join(parts).replace(r"\ .*", r" ?.*"))


def missing(lines: tuple[str, ...], output: str) -> str | None:
    """The first line that the output does not have, after the one before it."""
    said = iter([" ".join(line.split()) for line in output.splitlines()])
    return next(
        (line for line in lines if not any(pattern(line).fullmatch(each) for each in said)), None
    )


def test_all_twenty_five_are_answered_by_a_command_with_its_output() -> None:
    answered = {sample.question for sample in SAMPLES if any(sample.lines)}
    assert answered == set(range(1, 26))


def test_every_answer_is_what_the_program_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "demo"
    demo_archive(folder)
    with (folder / "archive.toml").open("a") as config:
        config.writelines(re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    wrong = {}
    for sample in SAMPLES:
        done = CliRunner().invoke(main, _words(sample.command))
        line = missing(sample.lines, done.output)
        if done.exit_code or line is not None:
            wrong[f"{sample.question}: {sample.command}"] = line or f"exit {done.exit_code}"
        if "--json" not in sample.command and (wide := too_wide(done.output)):
            wrong[sample.command] = wide
    assert wrong == {}


def too_wide(output: str) -> str | None:
    """A line that does not fit eighty columns, but for what is printed to be copied."""
    return next(
        (line for line in output.splitlines()
         if width_of(line) > 80 and not line.startswith(("{", "http")) and "/" not in line),
        None,
    )  # fmt: skip


def _words(command: str) -> list[str]:
    import shlex

    return shlex.split(command)


def test_a_line_that_is_not_said_is_found() -> None:
    assert missing(("a … c", "d"), "x\na  b  c\nd") is None
    assert missing(("d", "a … c"), "a b c\nd") == "a … c"
