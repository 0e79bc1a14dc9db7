"""Prints constraints that pin what the program needs to the lowest versions that it allows."""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

_EXTRAS = re.compile(r"\[.*?\]")


def floors(project: dict[str, Any]) -> list[str]:
    """`name==lowest` of every requirement of a project, extras included.

    A constraint names no extras of what it constrains.
    """
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [
        _EXTRAS.sub("", line).replace(">=", "==")
        for group in groups
        for line in group
        if not line.startswith(f"{project['name']}[")
    ]


if __name__ == "__main__":
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    sys.stdout.write("\n".join(floors(tomllib.loads(text)["project"])) + "\n")
