"""Fresh environments for tests, made without a network: wheels built here, dependencies linked."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def build_wheel(project: Path, out: Path) -> Path:
    """Build the wheel of a project with its own backend, hatchling."""
    return out / _build("build_wheel", project, out)


def build_sdist(project: Path, out: Path) -> Path:
    """Build the source distribution of a project."""
    return out / _build("build_sdist", project, out)


def _build(what: str, project: Path, out: Path) -> str:
    program = f"from hatchling.build import {what}; print({what}({str(out)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def fresh_environment(folder: Path, wheels: Iterable[Path], requirements: Iterable[str]) -> Path:
    """A new environment with these wheels, the requirements and what those require; nothing else.

    The requirements come from the environment that the tests run in, as links. Returns the
    interpreter.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}, scheme="venv"))
    for name in sorted(_closure(requirements)):
        _link(name, site)
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:  # a pure wheel is unpacked, and that is all
            archive.extractall(site)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _closure(requirements: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        if wanted.name.lower() in found:
            continue
        found.add(wanted.name.lower())
        for text in distribution(wanted.name).requires or ():
            inner = Requirement(text)
            if inner.marker is None or inner.marker.evaluate({"extra": ""}):
                waiting.append(inner)
    return found


def _link(name: str, site: Path) -> None:
    """Link the folders and files of an installed distribution into another environment."""
    dist = distribution(name)
    for top in {file.parts[0] for file in dist.files or ()} - {"..", "__pycache__"}:
        target = site / top
        if not target.exists():
            target.symlink_to(Path(str(dist.locate_file(top))))


def run_python(python: Path, *args: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run an interpreter apart from this environment and the current folder."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [str(python), "-I", *map(str, args)],
        cwd=cwd,
        env=env | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=240,
    )
