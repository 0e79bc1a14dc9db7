"""Who did something, and with which versions, is in a row that the ledger commits to."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.actors import actor
from archiver.archive import attribution as module
from archiver.archive import runs
from archiver.archive.attribution import attribution
from archiver.archive.database import transaction, writer
from archiver.environment import environment

NOW = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with writer(tmp_path) as connection:
        yield connection


def attribute(connection: sqlite3.Connection, configured: str | None = None) -> dict[str, Any]:
    with transaction(connection):
        return attribution(connection, configured)


def test_a_run_has_its_actor_and_the_versions_that_it_was_made_with(
    connection: sqlite3.Connection,
) -> None:
    runs.begin_run(connection, NOW, "test", {}, "nightly@records")
    runs.begin_run(connection, NOW, "test", {})
    query = """
        SELECT actor, versions FROM runs JOIN environments ON environments.id = environment_id
         ORDER BY runs.id
    """
    (first, versions), (second, same) = connection.execute(query).fetchall()
    assert (first, second) == ("nightly@records", actor())
    assert json.loads(versions) == environment()
    assert same == versions


def test_versions_that_have_not_changed_are_not_written_again(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = attribute(connection), attribute(connection)
    monkeypatch.setattr(module, "environment", lambda: {"python": "3.99"})
    upgraded = attribute(connection)
    ids = [each["environment_id"] for each in (first, again, upgraded)]
    assert ids == [1, 1, 2]
    assert connection.execute("SELECT count(*) FROM environments").fetchone() == (2,)
