"""The program knows its version, installed or not."""

from importlib.metadata import PackageNotFoundError

import pytest

from archiver import version as module
from archiver.version import version


def test_it_is_that_of_the_installed_distribution() -> None:
    assert version()[0].isdigit()


def test_what_is_not_installed_runs_from_source(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "installed_version", missing)
    assert version() == "source"
