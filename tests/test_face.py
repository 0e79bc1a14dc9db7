"""The face for plugins: every name is there, at its home, and costs nothing until it is used."""

import ast
import subprocess
import sys
from pathlib import Path

import archiver


def test_every_name_of_the_face_can_be_had() -> None:
    for name in archiver.__all__:
        assert getattr(archiver, name).__class__


def test_the_type_checker_and_the_interpreter_see_the_same_names() -> None:
    assert archiver.__file__ is not None
    tree = ast.parse(Path(archiver.__file__).read_text("utf-8"))
    seen = {
        (node.module or "").removeprefix("archiver."): tuple(alias.name for alias in node.names)
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
    }
    assert seen == archiver._HOMES
    assert sorted(name for names in seen.values() for name in names) == sorted(archiver.__all__)


def test_importing_the_face_imports_nothing_heavy() -> None:
    code = "import archiver, sys; print(*(sys.modules.keys() & {'msgspec', 'pluggy', 'httpx'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
