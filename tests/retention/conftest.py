"""The archive that posts are erased from."""

import shutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from support.erasing import EARLIER, SECRET, Erasing, KeepingKiosk
from support.gazette import GazetteWorld, gazette


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GazetteWorld]:
    """The world and its archive, as each test finds them."""
    with gazette(tmp_path_factory.mktemp("made")) as world:
        world.kiosk = KeepingKiosk()
        world.publish("The bakery opens at six", pictures=1)
        secret = world.publish(EARLIER, pictures=1)
        world.publish("The fair is on Sunday", pictures=1)
        world.backup("kiosk", "paper")
        world.next_night()
        secret.text = SECRET
        world.backup("kiosk", "paper")
        yield world


@pytest.fixture
def erasing(made: GazetteWorld, tmp_path: Path) -> Erasing:
    shutil.copytree(made.folder / "archive", tmp_path / "archive")
    world = replace(made, folder=tmp_path, issues=deepcopy(made.issues))
    return Erasing(world, tmp_path / "archive")
