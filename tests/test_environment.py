"""The versions that this program runs with are those that are installed."""

import sqlite3
import sys
from importlib.metadata import version

from archiver.environment import environment


def test_versions_are_those_that_run() -> None:
    found = environment()
    assert found["python"] == sys.version.split()[0]
    assert found["sqlite"] == sqlite3.sqlite_version
    assert found["archiver"] == version("social-archiver")


def test_packages_are_those_that_are_needed_also_by_way_of_others() -> None:
    packages = environment()["packages"]
    direct, indirect = "httpx", "h11"  # by way of httpcore
    assert packages[direct] == version(direct)
    assert packages[indirect] == version(indirect)
    assert "pytest" not in packages, "that is for developers"
    assert "social-archiver" not in packages
    assert list(packages) == sorted(packages)
