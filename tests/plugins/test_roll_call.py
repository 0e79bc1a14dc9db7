"""All platforms of the plugin, called up one after the other."""

import ast
import importlib
import sys
import tomllib
from pathlib import Path

import pytest

from archiver_ayrshare.accounts import PLATFORMS
from archiver_ayrshare.tables import common_table, platform_table

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "plugins" / "archiver_ayrshare").glob("*.py"))


@pytest.mark.parametrize("name", PLATFORMS)
def test_each_platform_is_in_its_own_module(name: str) -> None:
    (platform,) = importlib.import_module(f"archiver_ayrshare.{name}").archiver_platforms()
    assert (platform.name, platform.source) == (name, "ayrshare")


@pytest.mark.parametrize("name", PLATFORMS)
def test_each_table_can_be_printed(name: str) -> None:
    (platform,) = importlib.import_module(f"archiver_ayrshare.{name}").archiver_platforms()
    table = platform_table(platform)
    assert "| `id` | posts.platform_id |" in table
    for path in platform.fields.raw_only:
        assert f"- `{path}`: " in table
    assert "| `likes` | `likeCount`, `likes`, `likesCount` |" in common_table()


def test_each_platform_is_an_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ours = {
        name: target
        for name, target in project["entry-points"]["archiver"].items()
        if target.partition(".")[0] == "archiver_ayrshare"
    }
    assert ours == {
        "ayrshare": "archiver_ayrshare",
        **{name: f"archiver_ayrshare.{name}" for name in PLATFORMS},
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_plugins_import_the_face_and_themselves(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        for name in names:
            root = name.partition(".")[0]
            assert name == "archiver" or root == "archiver_ayrshare" or root in _STANDARD, name


_STANDARD = frozenset(sys.stdlib_module_names)
