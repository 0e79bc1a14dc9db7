"""Archives made once per test process, and clients that look at them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.browsing import browsing, demo_archive, hostile_archive
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
