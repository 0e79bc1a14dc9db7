"""Archives made once per test process, and clients that look at them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from archiver.browse import server
from support.browsing import browsing, demo_archive, hostile_archive, serving
from support.chromium import Watched, chromium_running
from support.harsh_archive import make_harsh_archive


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the demo's archive. Tests that change it make a copy."""
    return demo_archive(tmp_path_factory.mktemp("demo") / "demo")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of an archive whose texts try to be markup."""
    return hostile_archive(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="session")
def harsh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a small harsh archive: three hundred posts of four years."""
    return make_harsh_archive(tmp_path_factory.mktemp("harsh"), posts=300)


@pytest.fixture(scope="session")
def client(demo: Path) -> Iterator[httpx.Client]:
    """A client of the demo's pages."""
    with browsing(demo) as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with chromium_running() as found:
        yield found


@pytest.fixture(scope="session")
def address(demo: Path) -> Iterator[str]:
    """Where the demo's archive is served."""
    with serving(server.make_datasette(demo)) as found:
        yield found


@pytest.fixture(params=["desktop light", "phone dark"])
def watched(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A page in two sizes and schemes. Afterwards there must be nothing to complain of."""
    phone = request.param == "phone dark"
    with browser.new_context(
        viewport={"width": 375, "height": 812} if phone else {"width": 1440, "height": 900},
        color_scheme="dark" if phone else "light",
    ) as context:
        found = Watched(context.new_page(), address)
        yield found
        assert found.complaints == []


@pytest.fixture
def desktop(browser: Browser, address: str) -> Iterator[Watched]:
    """A page on a desktop."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        found = Watched(context.new_page(), address)
        yield found
        assert found.complaints == []
