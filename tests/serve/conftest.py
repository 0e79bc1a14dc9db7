"""One archive for all tests that only read it, with the world that it is of."""

from collections.abc import Iterator

import pytest

from support.nights import Nights, nights
from support.serve.serving import Asking, live, served


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    with nights(tmp_path_factory.mktemp("lived")) as world:
        live(world)
        yield world


@pytest.fixture
def archive(lived: Nights) -> Iterator[Asking]:
    with served(lived.directory) as asking:
        yield asking
