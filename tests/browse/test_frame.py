"""What all pages share: the style sheets and scripts, put together from files."""

from importlib import resources

import httpx
import pytest

from archiver.browse.frame import ASSETS, asset, asset_path

LARGEST_SCRIPT = 30_000  # bytes, of all that runs on a page


def test_every_file_of_the_pages_is_part_of_a_style_sheet_or_script() -> None:
    folder = resources.files("archiver.browse") / "assets" / "pages"
    files = {f"pages/{found.name}" for found in folder.iterdir()}
    assert files == {part for parts in ASSETS.values() for part in parts if "/" in part}


@pytest.mark.parametrize("name", ASSETS)
def test_an_asset_is_served_whole_and_may_be_cached(client: httpx.Client, name: str) -> None:
    answer = client.get(asset_path(name))
    assert answer.content == asset(name)
    assert "immutable" in answer.headers["cache-control"]
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    assert answer.headers["content-type"].startswith(kind)


def test_the_script_of_a_page_stays_small() -> None:
    assert len(asset("archiver.js")) < LARGEST_SCRIPT


@pytest.mark.parametrize("name", [name for name in ASSETS if name.endswith(".css")])
def test_style_sheets_are_balanced_and_ask_for_nothing(name: str) -> None:
    text = asset(name).decode()
    assert text.count("{") == text.count("}")
    assert "url(" not in text
    assert "@import" not in text
