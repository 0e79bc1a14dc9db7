"""A small archive with a row in every table, made once, and copied for every test."""

import shutil
from pathlib import Path

import pytest

from good_archive import make_good_archive


@pytest.fixture(scope="session")
def good_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sound archive; not to be changed."""
    return make_good_archive(tmp_path_factory.mktemp("good"))


@pytest.fixture
def archive(good_archive: Path, tmp_path: Path) -> Path:
    """A copy of the sound archive, to be damaged."""
    return Path(shutil.copytree(good_archive, tmp_path / "archive"))
