"""An archive to export from."""

from pathlib import Path

import pytest

from support.exporting import make_archive


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive's folder. Tests that change it make a copy."""
    return make_archive(tmp_path_factory.mktemp("export"))
