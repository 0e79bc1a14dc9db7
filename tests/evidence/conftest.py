"""A small archive with a row in every table, made once, and copied for every test."""

import shutil
from pathlib import Path

import pytest

from archiver.evidence.copy import copy_archive
from support.good_archive import make_good_archive


@pytest.fixture(scope="session")
def good_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a intact archive; not to be changed."""
    return make_good_archive(tmp_path_factory.mktemp("good"))


@pytest.fixture
def archive(good_archive: Path, tmp_path: Path) -> Path:
    """A copy of the intact archive, to be damaged."""
    return Path(shutil.copytree(good_archive, tmp_path / "archive"))


@pytest.fixture(scope="session")
def good_copy(good_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the intact archive; not to be changed."""
    copy = tmp_path_factory.mktemp("second") / "copy"
    copy_archive(good_archive, copy)
    return copy


@pytest.fixture
def copy(good_copy: Path, tmp_path: Path) -> Path:
    """A copy of the intact archive, to be damaged."""
    return Path(shutil.copytree(good_copy, tmp_path / "copy"))
