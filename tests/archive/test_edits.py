"""An edit counts once, whichever source shows it first, and however it words it."""

import sqlite3
from collections.abc import Iterator

import pytest

from archiver.archive.edits import (
    is_worded_differently,
    kinds_now,
    newest_edit,
    newest_edit_with_wording,
    next_edit_with_wording,
)
from archiver.archive.rows import insert
from archiver.archive.wording import hash_of_wording
from support.small_archive import SmallArchive, small_archive

FIRST, SECOND = (hash_of_wording(words, ["image"]) for words in ("first", "second"))


def revision(
    connection: sqlite3.Connection, number: int, edit: int, source: str, wording: str | None,
    why: str = "edited",
) -> None:  # fmt: skip
    insert(
        connection, "revisions", post_id=1, number=number, edit=edit, why=why, seen_at="",
        run_id=1, source=source, content_version=1, content_sha256=str(number),
        wording_sha256=wording, raw="{}",
    )  # fmt: skip


@pytest.fixture
def archive() -> Iterator[SmallArchive]:
    with small_archive() as archive:
        archive.post(archive.account("threads"), text="second")
        insert(archive.connection, "runs", started_at="", outcome="done", asked="{}", bytes=0,
               got=0, new=0, edited=0, removed=0, stored=0, omitted=0, failed=0,
               version="test")  # fmt: skip
        for kind, last in (("gif", 1), ("image", 2)):
            insert(
                archive.connection, "attachments", post_id=1, position=0, key=kind, kind=kind,
                source="own", omitted=0, first_revision=1, last_revision=last,
            )  # fmt: skip
        revision(archive.connection, 1, 0, "own", FIRST, "first")
        revision(archive.connection, 2, 1, "own", SECOND)
        yield archive


def test_the_newest_edit_and_the_kinds_are_those_of_the_newest_revision(
    archive: SmallArchive,
) -> None:
    assert newest_edit(archive.connection, 1) == 1
    assert kinds_now(archive.connection, 1) == ["image"]


def test_a_source_that_shows_a_known_edit_later_catches_up_with_it(archive: SmallArchive) -> None:
    connection = archive.connection
    assert newest_edit_with_wording(connection, 1, FIRST) == 0
    assert newest_edit_with_wording(connection, 1, hash_of_wording("third", [])) is None
    assert next_edit_with_wording(connection, 1, 0, SECOND, "other") == 1
    assert next_edit_with_wording(connection, 1, 0, SECOND, "own") is None, "its own edit"
    assert next_edit_with_wording(connection, 1, 1, SECOND, "other") is None, "no later one"


def test_a_revision_of_an_earlier_version_is_compared_by_the_text_of_the_post(
    archive: SmallArchive,
) -> None:
    revision(archive.connection, 3, 2, "own", None)
    archive.connection.execute("UPDATE attachments SET last_revision = 3 WHERE kind = 'image'")
    assert newest_edit_with_wording(archive.connection, 1, SECOND) == 1
    assert newest_edit_with_wording(archive.connection, 1, hash_of_wording("x", [])) is None


def test_sources_that_word_a_post_differently_cannot_be_compared(archive: SmallArchive) -> None:
    assert not is_worded_differently(archive.connection, 1)
    revision(archive.connection, 3, 1, "other", hash_of_wording("another", []), "other_source")
    assert is_worded_differently(archive.connection, 1)
