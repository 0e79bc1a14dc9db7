"""The step that lets a search fold accents and find earlier versions."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.archive.database import KNOWN_STEPS, applied_steps, writer
from archiver.archive.schema import model
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.old_archive import unpack

NOW = "2026-11-23T00:00:00.000Z"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return unpack(tmp_path / "archive")


@pytest.fixture
def upgraded(old: Path) -> Iterator[sqlite3.Connection]:
    with writer(old) as connection:
        yield connection


def test_an_upgraded_archive_verifies(old: Path) -> None:
    with writer(old) as connection:
        assert applied_steps(connection) == KNOWN_STEPS
    assert verify(old, Scope(), NOW).findings == []


def test_an_upgraded_archive_has_the_schema_of_a_new_one(upgraded: sqlite3.Connection) -> None:
    query = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%sqlite_%'"
    assert sorted(upgraded.execute(query)) == sorted(model().execute(query))


def test_a_text_that_folds_has_its_folded_form_and_others_have_none(
    upgraded: sqlite3.Connection,
) -> None:
    rows = upgraded.execute("SELECT text, search_text FROM posts").fetchall()
    assert all((text or "").isascii() or folded is not None for text, folded in rows if folded)
    assert any(folded for _, folded in rows)
    assert any(folded is None for text, folded in rows if text)


def test_the_earlier_text_of_an_edited_post_is_found(upgraded: sqlite3.Connection) -> None:
    edited = upgraded.execute("SELECT id, text, earlier_text FROM posts WHERE edited_at NOT NULL")
    found = [(post, earlier) for post, text, earlier in edited if earlier]
    assert found, "the old archive has an edited text"
    for post, earlier in found:
        first = earlier.splitlines()[0]
        query = "SELECT 1 FROM posts_fts WHERE posts_fts MATCH ? AND rowid = ?"
        assert upgraded.execute(query, (f'earlier_text: "{first[:40]}"', post)).fetchone()
