"""The step that says of each row which source it comes from."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.archive.database import writer
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.old_archive import apply_steps_before, unpack

pytestmark = pytest.mark.slow

NOW = "2026-11-23T00:00:00.000Z"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """An archive as the fifth step left it."""
    directory = unpack(tmp_path / "archive")
    with closing(sqlite3.connect(directory / "archive.db")) as connection:
        apply_steps_before(connection, "m006_several_sources")
    return directory


@pytest.fixture
def upgraded(old: Path) -> Iterator[sqlite3.Connection]:
    with writer(old) as connection:
        yield connection


@pytest.mark.parametrize(
    "table",
    ["run_accounts", "account_profiles", "attachments", "renditions", "post_sources", "coverage"],
)
def test_every_row_names_its_source(upgraded: sqlite3.Connection, table: str) -> None:
    assert upgraded.execute(f"SELECT DISTINCT source FROM {table}").fetchall() == [("ayrshare",)]


def test_edits_are_counted_as_the_revisions_have_them(upgraded: sqlite3.Connection) -> None:
    assert upgraded.execute("SELECT DISTINCT number - edit FROM revisions").fetchall() == [(1,)]
    newest = "SELECT max(edit) FROM revisions WHERE revisions.post_id = post_sources.post_id"
    query = f"SELECT count(*) FROM post_sources WHERE edit <> coalesce(({newest}), 0)"
    assert upgraded.execute(query).fetchall() == [(0,)]
    assert upgraded.execute("SELECT max(edit) FROM revisions").fetchone()[0] > 0


def test_what_a_source_removed_is_what_is_removed(upgraded: sqlite3.Connection) -> None:
    query = """
        SELECT count(*) FROM posts JOIN post_sources ON post_id = id
         WHERE posts.removed_at IS NOT post_sources.removed_at OR record_id <> platform_id
    """
    assert upgraded.execute(query).fetchall() == [(0,)]


def test_it_verifies(old: Path) -> None:
    with writer(old):
        pass
    assert verify(old, Scope(), NOW).findings == []


def test_a_damaged_row_stays_damaged_to_see(old: Path) -> None:
    with closing(sqlite3.connect(old / "archive.db")) as connection:
        connection.execute("UPDATE post_sources SET record_id = 'other' WHERE post_id = 1")
        connection.execute(
            "UPDATE post_sources SET view = CAST(x'ff7b7d' AS TEXT) WHERE post_id = 2"
        )
        connection.commit()
    with writer(old):
        pass
    found = {finding.subject for finding in verify(old, Scope(), NOW).findings}
    assert {subject for subject in found if "post_sources" in subject} == {
        "post_sources 1 / ayrshare", "post_sources 2 / ayrshare",
    }  # fmt: skip
