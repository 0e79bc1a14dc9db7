"""Each exception from the rules of style and types says beside it why it is one."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SUPPRESSION = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b(?P<rest>.*)")
REASON = re.compile(r"(?:—|#)\s*`?\w+")


def unexplained(text: str) -> Iterator[str]:
    for line in text.splitlines():
        found = SUPPRESSION.search(line)
        if found and not REASON.search(found["rest"]):
            yield line.strip()


def test_what_is_not_explained_is_found() -> None:
    text = (
        "a = 1  # no"
        + "qa: E501\nb = 2  # type"
        + ": ignore[misc]\nc = 3  # no"
        + "qa: S101 — a check\n"
    )
    assert len(list(unexplained(text))) == 2


def own_files(folder: Path) -> Iterator[Path]:
    """The Python files below a folder, but for what npm installs there, maybe just now."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "node_modules"]
        yield from (Path(place, name) for name in names if name.endswith(".py"))


def test_every_suppression_says_why() -> None:
    folders = ("archiver", "plugins", "tests", "docs", "benchmarks")
    found = {
        f"{file.relative_to(ROOT)}: {line}"
        for folder in folders
        for file in own_files(ROOT / folder)
        for line in unexplained(file.read_text())
    }
    assert not found
