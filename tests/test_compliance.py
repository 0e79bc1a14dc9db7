"""The map of controls is kept honest: each test on it exists, and each row says what is missing."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from support.fresh import ROOT

PAGE = (ROOT / "docs" / "compliance.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" |")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| requirement")
]
TESTS = sorted(set(re.findall(r"`(tests/[^`]+)`", PAGE)))


@cache
def names_of_tests(path: Path) -> frozenset[str]:
    """The tests of a file, those of classes with the name of their class before them."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            inner = (each for each in node.body if isinstance(each, ast.FunctionDef))
            found |= {f"{node.name}::{each.name}" for each in inner}
    return frozenset(found)


@pytest.mark.parametrize("name", TESTS)
def test_each_test_on_the_page_exists(name: str) -> None:
    file, _, test = name.partition("::")
    assert test in names_of_tests(ROOT / file)


def test_every_row_has_a_mechanism_a_test_and_room_for_its_gap() -> None:
    assert len(ROWS) > 20
    for row in ROWS:
        assert len(row) == 4, row[0]
        requirement, mechanism, test, gap = row
        assert mechanism
        assert "`tests/" in test or (test == "none" and gap), requirement


def test_no_page_calls_the_program_compliant() -> None:
    """That is a finding about an organisation."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    assert [page.name for page in pages if "compliant" in page.read_text("utf-8").lower()] == []
