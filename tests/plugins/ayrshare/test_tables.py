"""All platforms of the plugin, called up one after the other."""

import importlib
import tomllib
from pathlib import Path

import pytest

from archiver_ayrshare.accounts import PLATFORMS
from archiver_ayrshare.tables import common_table, platform_table

ROOT = Path(__file__).parents[3]


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
